/** Where a command writes and asks: results on stdout, everything else on stderr. */
import { once } from 'node:events';
import { styleText } from 'node:util';
import { EXIT, Failure, usageFailure } from './failure.ts';

const WIDTH_DEFAULT = 80;
/** It is held in memory. */
const INPUT_MAX_BYTES = 1024 * 1024 * 1024;

export type Style = 'bold' | 'red' | 'green' | 'yellow' | 'dim';

export interface Terminal {
  /** Null where the output goes to a file or another program: nothing is cut short there. */
  readonly width: number | null;
  /** One line of the result. */
  print(line: string): void;
  /** One JSON value on one line. */
  printJson(value: unknown): void;
  /** One line beside the result. */
  note(line: string): void;
  paint(style: Style, text: string): string;
  /** A part of a result that is no text. Resolves when the output takes more. */
  writeBytes(bytes: Uint8Array): Promise<void>;
  /** Everything on stdin. */
  readInput(): Promise<string>;
  /** The same as it is. */
  readInputBytes(): Promise<Buffer<ArrayBuffer>>;
  /** Asks for consent; where nobody can be asked, only `--yes` will do. */
  confirm(question: string): Promise<void>;
  /** Asks for a line of text; where nobody can be asked, gives null. */
  ask(question: string, suggestion: string): Promise<string | null>;
  /** The same without showing what is typed. */
  askSecret(question: string): Promise<string | null>;
}

export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function createTerminal({ stdin, stdout, stderr, environment }: Streams): Terminal {
  const canAsk = stdin.isTTY === true && stderr.isTTY === true;
  const isPlain = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  const hasColour = stdout.isTTY === true && !isPlain;
  return {
    width: stdout.isTTY === true ? stdout.columns || WIDTH_DEFAULT : null,
    print: (line) => void stdout.write(`${line}\n`),
    printJson: (value) => void stdout.write(`${toJsonLine(value)}\n`),
    note: (line) => void stderr.write(`${line}\n`),
    paint: (style, text) => (hasColour ? styleText(style, text, { validateStream: false }) : text),
    async writeBytes(bytes) {
      if (!stdout.write(bytes)) await once(stdout, 'drain');
    },
    readInput: async () => (await readAll(stdin)).toString('utf8'),
    readInputBytes: () => readAll(stdin),
    async confirm(question) {
      if (!canAsk) throw usageFailure('There is no terminal to ask at. Say --yes if you mean it.');
      const { confirm } = await import('@clack/prompts');
      const isMeant = await confirm({ message: question, initialValue: false, output: stderr });
      if (typeof isMeant === 'symbol') throw cancelled();
      if (!isMeant) throw new Failure(EXIT.refused, 'Nothing was done.');
    },
    async ask(question, suggestion) {
      if (!canAsk) return null;
      const { text } = await import('@clack/prompts');
      const answer = await text({ message: question, initialValue: suggestion, output: stderr });
      if (typeof answer === 'symbol') throw cancelled();
      return answer;
    },
    async askSecret(question) {
      if (!canAsk) return null;
      const { password } = await import('@clack/prompts');
      const answer = await password({ message: question, output: stderr });
      if (typeof answer === 'symbol') throw cancelled();
      return answer;
    },
  };
}

async function readAll(stdin: NodeJS.ReadStream): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > INPUT_MAX_BYTES) throw usageFailure('That is more than stdin is read for. Give it as a file.');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** Ctrl-C at a question ends the command. */
function cancelled(): Failure {
  return new Failure(EXIT.interrupted, 'Nothing was done.');
}

/** JSON on one line. What could command a terminal is escaped, also where JSON itself would let it stand. */
export function toJsonLine(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029]/g, escapeUnit);
}

/** Text that others wrote, for a line on a terminal: nothing in it can move the cursor or end the line. */
export function toPlainText(text: string): string {
  return text.replace(/\r?\n/g, '⏎').replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, escapeUnit);
}

function escapeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
