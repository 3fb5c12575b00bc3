/** The process around a command: its arguments, its streams, its exit code. */
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { readServeSettings } from './commands/serve.ts';
import { EXIT, type ExitCode, Failure, Refusal } from './failure.ts';
import { parseFields, textOf } from './fields.ts';
import { createProgram } from './program.ts';
import { type Surroundings, waitFor } from './surroundings.ts';
import { createTerminal, toJsonLine, toPlainText } from './terminal.ts';

/** Those that show or take the flags of the server. */
const NEEDS_SERVE_SETTINGS: ReadonlySet<string> = new Set(['serve', 'completion']);

const interrupt = () => process.exit(EXIT.interrupted);
process.on('SIGINT', interrupt);
// Whoever reads the output may have seen enough: `trunkline events | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

process.exitCode = await runCommand(process.argv.slice(2));

async function runCommand(words: readonly string[]): Promise<ExitCode> {
  const { stdin, stdout, stderr, env: environment } = process;
  const terminal = createTerminal({ stdin, stdout, stderr, environment });
  const takeInterrupts = () => void process.off('SIGINT', interrupt);
  const surroundings: Surroundings = { environment, terminal, now: Date.now, wait: waitFor, takeInterrupts };
  const serveSettings = NEEDS_SERVE_SETTINGS.has(commandWord(words)) ? await readServeSettings() : [];
  const program = createProgram({ version: readVersion(), serveSettings, surroundings });
  try {
    await program.parseAsync(words, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    // Commander has said it already, and for help and version there is nothing wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof Failure)) throw error;
    terminal.note(words.includes('--json') ? toJsonLine(failureBody(error)) : failureLine(error));
    return error.exitCode;
  }
}

/** The first word that is neither an option nor the value of one. */
function commandWord(words: readonly string[]): string {
  return words.find((word, index) => !word.startsWith('-') && words[index - 1] !== '--profile') ?? '';
}

function readVersion(): string {
  const manifest = parseFields(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return textOf(manifest ?? {}, 'version') ?? 'unknown';
}

function failureLine(failure: Failure): string {
  if (!(failure instanceof Refusal)) return `error: ${toPlainText(failure.message)}`;
  const { code, param, requestId } = failure.detail;
  const about = [code, ...(param === null ? [] : [`param ${param}`]), ...(requestId === null ? [] : [requestId])];
  return toPlainText(`error: ${failure.message} (${about.join(', ')})`);
}

/** The API's own envelope, also for what never reached the API. */
function failureBody(failure: Failure) {
  if (!(failure instanceof Refusal)) return { error: { code: 'not_sent', message: failure.message } };
  const { code, param, requestId, message } = failure.detail;
  return { error: { code, message, ...(param === null ? {} : { param }) }, request_id: requestId };
}
