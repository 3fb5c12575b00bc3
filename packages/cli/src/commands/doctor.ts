/** `trunkline doctor`: whether a Mac is as it must be, asked of the agent that runs there. */
import type { Command } from 'commander';
import { createBridgeHost, findStateFolder } from '../bridge-host.ts';
import { EXIT, Failure } from '../failure.ts';
import { asFields, type Fields, textOf } from '../fields.ts';
import { askLocalAgent } from '../local-agent.ts';
import type { GlobalOptions, Surroundings } from '../surroundings.ts';
import { type Style, type Terminal, toPlainText } from '../terminal.ts';

/** Longer than all checks together may take. */
const EXAMINATION_MAX_MS = 120_000;
const NOT_THE_AGENT =
  'No agent runs here, so this terminal looks by itself. Its grants are not those of the agent: start the agent (trunkline bridge install) and look again.';
const MARKS: Readonly<Record<string, { readonly word: string; readonly style: Style }>> = {
  ok: { word: 'ok', style: 'green' },
  warning: { word: 'warning', style: 'yellow' },
  failed: { word: 'FAILED', style: 'red' },
};
const MARK_WIDTH = 9;
const NAME_WIDTH = 13;

interface Examination {
  readonly context: 'agent' | 'terminal';
  readonly findings: readonly Fields[];
}

export function addDoctorCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('doctor')
    .summary('check the Mac that a line runs on')
    .description(
      'Checks each thing that must be true on the Mac of a line, and says what to do where it is not. The agent that runs there answers, for the grants are its own; without one this terminal looks by itself. Ends with 1 where something failed.',
    )
    .option('--state-dir <folder>', 'the folder of the agent')
    .action(async (options: { readonly stateDir?: string }, command: Command) => {
      const isJson = command.optsWithGlobals<GlobalOptions>().json === true;
      const { context, findings } = await examine(surroundings, options.stateDir);
      const { terminal } = surroundings;
      if (context === 'terminal') terminal.note(NOT_THE_AGENT);
      for (const finding of findings) {
        if (isJson) terminal.printJson({ context, ...finding });
        else printFinding(terminal, finding);
      }
      const failures = findings.filter((one) => one['state'] === 'failed').length;
      if (failures > 0)
        throw new Failure(EXIT.refused, failures === 1 ? 'One check failed.' : `${failures} checks failed.`);
    });
}

async function examine(surroundings: Surroundings, stateDir: string | undefined): Promise<Examination> {
  const { home, platform } = createBridgeHost(surroundings);
  const stateFolder = await findStateFolder(stateDir, { home, platform });
  const answer = await askLocalAgent(stateFolder, 'doctor', EXAMINATION_MAX_MS);
  if (answer !== undefined) {
    if (!Array.isArray(answer)) throw new Failure(EXIT.refused, 'The agent is of another version: update both ends.');
    return { context: 'agent', findings: answer.map(asFields) };
  }
  const { createDoctorMac, examineMac } = await import('@trunkline/drivers/doctor');
  const mac = createDoctorMac({ home, stateFolder, isAgent: false, clockOffsetMs: null });
  return { context: 'terminal', findings: (await examineMac(mac)).map(asFields) };
}

function printFinding(terminal: Terminal, finding: Fields): void {
  const state = textOf(finding, 'state') ?? '';
  const { word, style } = MARKS[state] ?? { word: state, style: 'bold' };
  const name = textOf(finding, 'name') ?? '-';
  const head = terminal.paint(style, toPlainText(word).padEnd(MARK_WIDTH)) + toPlainText(name).padEnd(NAME_WIDTH);
  terminal.print(head + toPlainText(textOf(finding, 'found') ?? ''));
  const remedy = textOf(finding, 'remedy');
  if (remedy !== null) terminal.print(`${' '.repeat(MARK_WIDTH + NAME_WIDTH)}${toPlainText(remedy)}`);
}
