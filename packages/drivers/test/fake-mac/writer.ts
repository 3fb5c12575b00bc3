/**
 * The fake Mac's daemons and its Messages, as a process of their own, so that a reader elsewhere meets a real log:
 * `node writer.ts FOLDER GENERATION LINE`. A JSON line on stdin is a command, one on stdout its answer.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { MacActs } from './acts.ts';
import { type AppleEvent, type Housekeeping, SOCKET } from './apple-event.ts';
import { createChangeActs } from './change-acts.ts';
import { FakeChatDb, uuidOf } from './chat-db.ts';
import { isGeneration } from './generations.ts';
import { readJsonLines } from './json-lines.ts';
import { createMessagesApp, type MessagesApp } from './messages-app.ts';
import { Oracle } from './oracle.ts';
import { createOwnActs } from './own-acts.ts';
import { createPhoneActs } from './phone-acts.ts';
import { playSteps, type Step } from './steps.ts';
import { createUpheavals } from './upheavals.ts';
import { Schedule, type World } from './world.ts';

/** What the writer is told. `settle` waits until nothing is to happen any more. */
export type WriterCommand =
  | { readonly id: number; readonly do: 'act'; readonly name: keyof MacActs; readonly act: unknown }
  | { readonly id: number; readonly do: 'play'; readonly steps: readonly Step[] }
  | { readonly id: number; readonly do: 'settle' };

export type WriterAnswer =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: string };

const [folder, generation, line] = process.argv.slice(2);
if (folder === undefined || !isGeneration(generation) || line === undefined) {
  throw new Error('node writer.ts FOLDER GENERATION LINE');
}
const home = join(folder, 'home');
const world: World = {
  db: new FakeChatDb(join(home, 'Library/Messages/chat.db'), generation, { handle: line, accountId: uuidOf(line) }),
  oracle: new Oracle(),
  schedule: new Schedule(),
  bodies: new Map(),
  home,
  now: () => Date.now(),
};
const app = createMessagesApp(world);
const acts: MacActs = {
  ...createPhoneActs(world),
  ...createChangeActs(world),
  ...createOwnActs(world),
  ...createUpheavals(world),
  ...app.acts,
  oracle: () => world.oracle.list(),
};
const server = serveMessages(app, join(folder, SOCKET));
// What is waited for by the one command may be caused by the next: they do not wait for each other.
readJsonLines<WriterCommand>(process.stdin, (command) => void answer(command));
process.stdin.on('close', () => {
  server.close();
  world.schedule.clear();
  world.db.close();
  process.exit(0);
});

async function answer(command: WriterCommand): Promise<void> {
  let said: WriterAnswer;
  try {
    said = { id: command.id, ok: true, result: await carryOut(command) };
  } catch (error) {
    said = { id: command.id, ok: false, error: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

async function carryOut(command: WriterCommand): Promise<unknown> {
  if (command.do === 'settle') return world.schedule.idle().then(() => null);
  if (command.do === 'play') return playSteps(acts, command.steps).then(() => null);
  // The other end of the pipe wrote the name and the act for it with one type.
  const act = acts[command.name] as (act: unknown) => unknown;
  return act(command.act);
}

/** Where the fakes of osascript, `open` and `pgrep` reach Messages. */
function serveMessages(messages: MessagesApp, path: string): Server {
  rmSync(path, { force: true });
  const listening = createServer((socket) => {
    // Whoever asked may be killed while it waits; what it asked for goes on.
    socket.on('error', () => socket.destroy());
    readJsonLines<AppleEvent | Housekeeping>(socket, (asked) => {
      if (!('target' in asked)) {
        if (asked.what === 'open') messages.open(asked.url);
        socket.end(`${JSON.stringify({ pid: messages.isRunning() ? process.pid : null })}\n`);
        return;
      }
      messages.handle(asked, (said) => socket.end(`${JSON.stringify(said)}\n`));
    });
  });
  listening.listen(path, () => process.stdout.write(`${JSON.stringify({ id: 0, ok: true, result: null })}\n`));
  return listening;
}
