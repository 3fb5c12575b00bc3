/**
 * A stand-in for `/usr/bin/osascript`: `node osascript.ts FOLDER - ARG...` with the script on stdin (d.2, h.3).
 *
 * It knows a script by what the script does, and it holds that the data come in the arguments alone: of each kind of
 * script it takes one text, and no text that an argument stands in.
 */
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AppleAnswer, type AppleEvent, OSASCRIPT_LOG, SOCKET } from './apple-event.ts';
import { readScript, type Script } from './apple-script.ts';

export interface OsascriptCall {
  /** `text by chat`, `file by participant`, `chat`, `chats`, `accounts`, `name`; null where the script is none of them. */
  readonly kind: string | null;
  readonly script: string;
  readonly argv: readonly string[];
  /** Unix milliseconds. */
  readonly at: number;
}

/** An argument that is shorter may stand in a script by chance. */
const TELLING_LENGTH = 12;
const SYNTAX_ERROR = -2741;
const FILE_NOT_FOUND = -43;
const NOT_FOUND = -1728;
const TIMED_OUT = -1712;
const NOT_RUNNING: AppleAnswer = {
  ok: false,
  phase: 'resolve',
  error: -600,
  message: 'Application isn’t running.',
};
const LOST: AppleAnswer = {
  ok: false,
  phase: 'send',
  error: -609,
  message: 'Messages got an error: Connection is invalid.',
};

class ScriptError extends Error {
  readonly number: number;
  readonly phase: 'resolve' | 'send' | 'before';
  constructor(number: number, message: string, phase: 'resolve' | 'send' | 'before' = 'before') {
    super(message);
    this.number = number;
    this.phase = phase;
  }
}

if (import.meta.main) await main(process.argv.slice(2));

async function main([folder = '.', dash, ...argv]: readonly string[]): Promise<void> {
  if (dash !== '-') throw new Error('The fake osascript reads its script from stdin alone.');
  const source = await readAll(process.stdin);
  const script = readScript(source);
  const call: OsascriptCall = { kind: script?.kind ?? null, script: source, argv, at: Date.now() };
  appendFileSync(join(folder, OSASCRIPT_LOG), `${JSON.stringify(call)}\n`);
  try {
    if (script === null) throw new ScriptError(SYNTAX_ERROR, 'A script that the fake Mac does not know.');
    refuseData(folder, script, source, argv);
    const said = await run(folder, script, argv);
    process.stdout.write(`${said}\n`);
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    process.stderr.write(`${printError(script, error)}\n`);
    process.exitCode = 1;
  }
}

/** As osascript prints it: the message is localised on a real Mac, the number at the end is not (d.5). */
function printError(script: Script | null, { number, message, phase }: ScriptError): string {
  const isRaisedAgain = script !== null && (phase === 'send' ? script.catchesSend : script.catches(phase));
  if (isRaisedAgain) return `0:412: execution error: RESOLVE ${number}: ${message} (9001)`;
  return `0:412: execution error: ${message} (${number})`;
}

function refuseData(folder: string, script: Script, source: string, argv: readonly string[]): void {
  const inside = argv.find((one) => one.length >= TELLING_LENGTH && source.includes(one));
  if (inside !== undefined) throw new ScriptError(SYNTAX_ERROR, 'An argument stands in the script.');
  const known = join(folder, `${script.kind.replaceAll(' ', '-')}.applescript`);
  if (statSync(known, { throwIfNoEntry: false }) === undefined) writeFileSync(known, source);
  else if (readFileSync(known, 'utf8') !== source) {
    throw new ScriptError(SYNTAX_ERROR, `There were two scripts that do "${script.kind}": one of them holds data.`);
  }
}

async function run(folder: string, script: Script, argv: readonly string[]): Promise<string> {
  const item = (place: number): string => {
    const value = argv[place - 1];
    if (value === undefined || !script.items.has(place)) {
      throw new ScriptError(NOT_FOUND, `Can’t get item ${place} of {"${argv.join('", "')}"}.`);
    }
    return value;
  };
  const target =
    script.target === 'chat'
      ? ({ form: 'chat', guid: item(1) } as const)
      : script.target === 'participant'
        ? ({ form: 'participant', account: item(1), handle: item(2) } as const)
        : null;
  const content = script.target === 'participant' ? 3 : 2;
  const path = script.what === 'file' ? item(content) : null;
  if (path !== null && script.isAlias && statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new ScriptError(FILE_NOT_FOUND, `File ${path} wasn’t found.`);
  }
  const event: AppleEvent = {
    what: script.what,
    target,
    text: script.what === 'text' ? item(content) : null,
    path,
    isAlias: script.isAlias,
  };
  const answer = await askMessages(folder, event, script.timeoutMs);
  if (!answer.ok) throw new ScriptError(answer.error, answer.message, answer.phase);
  const isList = script.what === 'chats' || script.what === 'chat';
  return isList && script.hasLines ? answer.output.replaceAll(', ', '\n') : answer.output;
}

/** An Apple event that is not answered in time is an error of the event, and nobody knows what became of it (d.5). */
async function askMessages(folder: string, event: AppleEvent, timeoutMs: number): Promise<AppleAnswer> {
  const ended = new AbortController();
  const timedOut = sleep(timeoutMs, null, { signal: ended.signal }).then((): AppleAnswer => {
    return { ok: false, phase: 'send', error: TIMED_OUT, message: 'Messages got an error: AppleEvent timed out.' };
  });
  const socket = connect(join(folder, SOCKET));
  socket.on('connect', () => socket.write(`${JSON.stringify(event)}\n`));
  const answered = readAll(socket).then(
    // Whoever ends without an answer has ended altogether.
    (line): AppleAnswer => (line === '' ? LOST : JSON.parse(line)),
    (): AppleAnswer => NOT_RUNNING,
  );
  const answer = await Promise.race([answered, timedOut]);
  timedOut.catch((error: Error) => {
    if (error.name !== 'AbortError') throw error;
  });
  ended.abort();
  socket.destroy();
  return answer;
}
