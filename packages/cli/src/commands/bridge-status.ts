/** `trunkline bridge status`: what the agent on this computer says of itself. */
import type { Command } from 'commander';
import { type BridgeHost, findStateFolder } from '../bridge-host.ts';
import { EXIT, Failure } from '../failure.ts';
import { asFields } from '../fields.ts';
import { askLocalAgent } from '../local-agent.ts';
import type { GlobalOptions, Surroundings } from '../surroundings.ts';
import { toPlainText } from '../terminal.ts';

const ANSWER_WAIT_MS = 10_000;

export function addBridgeStatus(bridge: Command, { terminal }: Surroundings, host: BridgeHost): void {
  bridge
    .command('status')
    .description(
      'Shows the agent that runs on this computer: its line, its driver, since when it is connected. Ends with 6 where none runs.',
    )
    .option('--state-dir <folder>', 'the folder of the agent')
    .action(async (_options: unknown, command: Command) => {
      // The agent's own command has an option of this name as well, and takes its value.
      const { stateDir, json } = command.optsWithGlobals<GlobalOptions & { readonly stateDir?: string }>();
      const folder = await findStateFolder(stateDir, host);
      const answer = await askLocalAgent(folder, 'status', ANSWER_WAIT_MS);
      if (answer === undefined) throw new Failure(EXIT.unreachable, `No agent runs on ${folder}.`);
      const status = asFields(answer);
      if (json === true) terminal.printJson(status);
      else for (const [name, value] of Object.entries(status)) terminal.print(toPlainText(`${name}: ${wordOf(value)}`));
    });
}

function wordOf(value: unknown): string {
  if (value === null) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
