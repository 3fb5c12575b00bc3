/** A fake Mac for one line: a home folder, a `chat.db` that another process writes, and the programs of macOS. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MacActs } from './acts.ts';
import { OSASCRIPT_LOG, PROGRAMS_BEHAVIOUR, PROGRAMS_LOG } from './apple-event.ts';
import type { Generation } from './generations.ts';
import { readJsonLines } from './json-lines.ts';
import type { OsascriptCall } from './osascript.ts';
import type { ProgramBehaviour, ProgramCall, ProgramName } from './program.ts';
import type { Step } from './steps.ts';
import type { WriterAnswer, WriterCommand } from './writer.ts';

export interface FakeMac {
  readonly generation: Generation;
  /** The line's own handle. */
  readonly line: string;
  readonly folder: string;
  readonly home: string;
  readonly chatDb: string;
  /** The process that is its daemons and its Messages. */
  readonly process: ChildProcess;
  /** The command that stands for `/usr/bin/osascript`. */
  readonly osascript: readonly string[];
  /** The command that stands for another program. */
  program(name: ProgramName): readonly string[];
  act<Name extends keyof MacActs>(name: Name, act: Parameters<MacActs[Name]>[0]): Promise<ReturnType<MacActs[Name]>>;
  /** Resolves when the last step was taken. */
  play(steps: readonly Step[]): Promise<void>;
  /** Resolves when nothing is to happen by itself any more. */
  settle(): Promise<void>;
  osascriptCalls(): readonly OsascriptCall[];
  programCalls(): readonly ProgramCall[];
  behavePrograms(behaviour: ProgramBehaviour): Promise<void>;
  close(): Promise<void>;
}

const LINE = '+15550100001';

export async function startFakeMac({
  generation = 'golden',
  line = LINE,
}: {
  readonly generation?: Generation;
  readonly line?: string;
} = {}): Promise<FakeMac> {
  // The temporary folder of a real Mac is a link too.
  const folder = realpathSync(await mkdtemp(join(tmpdir(), 'mac-')));
  const home = join(folder, 'home');
  for (const place of ['Library/Messages/Attachments', 'Library/Containers/com.apple.MobileSMS/Data', 'Pictures']) {
    await mkdir(join(home, place), { recursive: true });
  }
  const writer = spawn(process.execPath, [pathOf('./writer.ts'), folder, generation, line], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const pipe = createPipe(writer);
  await pipe.ready;
  return {
    generation,
    line,
    folder,
    home,
    chatDb: join(home, 'Library/Messages/chat.db'),
    process: writer,
    osascript: [process.execPath, pathOf('./osascript.ts'), folder],
    program: (name) => [process.execPath, pathOf('./program.ts'), folder, generation, name],
    act: async (name, act) => {
      // The writer calls the act of this name, whose result has this type.
      return (await pipe.ask({ do: 'act', name, act })) as ReturnType<MacActs[typeof name]>;
    },
    play: async (steps) => {
      await pipe.ask({ do: 'play', steps });
    },
    settle: async () => {
      await pipe.ask({ do: 'settle' });
    },
    osascriptCalls: () => readLog(join(folder, OSASCRIPT_LOG)),
    programCalls: () => readLog(join(folder, PROGRAMS_LOG)),
    behavePrograms: (behaviour) => writeFile(join(folder, PROGRAMS_BEHAVIOUR), JSON.stringify(behaviour)),
    close: async () => {
      if (writer.exitCode === null && writer.signalCode === null) {
        const exited = once(writer, 'exit');
        writer.stdin.end();
        await exited;
      }
      // What a killed agent had started may still write its last file.
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function readLog<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

type Asked = WriterCommand extends infer Command ? (Command extends unknown ? Omit<Command, 'id'> : never) : never;

interface Pipe {
  readonly ready: Promise<unknown>;
  ask(command: Asked): Promise<unknown>;
}

/** Commands and their answers, by number. When the writer ends, whoever waits is told. */
function createPipe(writer: ReturnType<typeof spawn>): Pipe {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let asked = 0;
  const wait = (id: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
    });
  const { stdin, stdout } = writer;
  if (stdin === null || stdout === null) throw new Error('The writer has no pipes.');
  readJsonLines<WriterAnswer>(stdout, (answer) => {
    const waiter = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.ok) waiter?.resolve(answer.result);
    else waiter?.reject(new Error(answer.error));
  });
  writer.on('exit', (code) => {
    for (const waiter of waiting.values()) waiter.reject(new Error(`The fake Mac ended with ${code}.`));
    waiting.clear();
  });
  return {
    ready: wait(0),
    ask: (command) => {
      if (writer.exitCode !== null || writer.signalCode !== null) throw new Error('The fake Mac has ended.');
      asked += 1;
      const answered = wait(asked);
      stdin.write(`${JSON.stringify({ ...command, id: asked })}\n`);
      return answered;
    },
  };
}
