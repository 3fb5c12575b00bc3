/**
 * The agent's end of a unix domain socket in its state folder: what it is asked here is looked at in its own context, with
 * the grants that macOS gave to it. Only the folder's owner may ask.
 */
import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { isQuestion, type Question, socketPath } from './questions.ts';

const FOLDER_MODE = 0o700;
const SOCKET_MODE = 0o600;
const CONNECTIONS_MAX = 8;
const QUESTION_MAX_BYTES = 1_024;
/** From the connection to the question. */
const QUESTION_WAIT_MS = 5_000;

/** Each answer is a JSON value. */
export type Answers = Readonly<Record<Question, () => Promise<unknown>>>;

export interface DoctorSocket {
  close(): Promise<void>;
}

/** Only whoever holds the agent's lock may call it: a socket that an earlier agent left behind is removed. */
export async function serveDoctorSocket(stateFolder: string, answers: Answers): Promise<DoctorSocket> {
  const path = socketPath(stateFolder);
  mkdirSync(stateFolder, { recursive: true, mode: FOLDER_MODE });
  // Closed to others before the socket is there, so that at no moment somebody else can connect.
  chmodSync(stateFolder, FOLDER_MODE);
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const ask = createAsker(answers);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    void answerOne(socket, ask);
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, SOCKET_MODE);
  return { close: () => close(server, open) };
}

async function close(server: Server, open: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const socket of open) socket.destroy();
  await closed;
}

/** One question, one answer. Whoever has gone away meanwhile is not missed. */
async function answerOne(socket: Socket, ask: Asker): Promise<void> {
  socket.on('error', () => socket.destroy());
  const line = await readLine(socket);
  if (line === null) {
    socket.destroy();
    return;
  }
  const answer = isQuestion(line) ? await ask(line) : { error: 'This agent does not know the question.' };
  if (!socket.destroyed) socket.end(`${JSON.stringify(answer)}\n`);
}

type Reply = { readonly answer: unknown } | { readonly error: string };
type Asker = (question: Question) => Promise<Reply>;

/** Whoever asks what is being answered already gets the same answer: Messages is asked one thing at a time. */
function createAsker(answers: Answers): Asker {
  const underWay = new Map<Question, Promise<Reply>>();
  return (question) => {
    const before = underWay.get(question);
    if (before !== undefined) return before;
    const reply = answerTo(answers[question]).finally(() => underWay.delete(question));
    underWay.set(question, reply);
    return reply;
  };
}

async function answerTo(ask: () => Promise<unknown>): Promise<Reply> {
  try {
    return { answer: await ask() };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** Null where none comes in time, or one that is too long. */
function readLine(socket: Socket): Promise<string | null> {
  return new Promise((resolve) => {
    let text = '';
    const timer = setTimeout(() => resolve(null), QUESTION_WAIT_MS);
    const settle = (line: string | null): void => {
      clearTimeout(timer);
      resolve(line);
    };
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end !== -1) settle(text.slice(0, end));
      else if (text.length > QUESTION_MAX_BYTES) settle(null);
    });
    socket.once('close', () => settle(null));
    socket.once('end', () => settle(null));
  });
}
