/** A client that writes bytes, whatever they are, and keeps what comes back. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { KEY } from './harness.ts';

const ANSWER_WITHIN_MS = 15_000;
const POLL_MS = 5;

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Record<string, unknown>;
}

export interface RawClient {
  readonly socket: Socket;
  write(bytes: string | Buffer): void;
  /** Resolves with the first so many answers. */
  answers(count: number): Promise<readonly RawAnswer[]>;
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>;
  isClosed(): boolean;
  /** Everything that came back. */
  heard(): string;
}

export async function openRawClient(address: string): Promise<RawClient> {
  const { hostname, port } = new URL(address);
  const socket = connect({ host: hostname, port: Number(port) });
  let heard = '';
  let isClosed = false;
  socket.on('data', (chunk) => {
    heard += chunk.toString('utf8');
  });
  // Writing to a connection that the server has closed is the point of some tests.
  socket.on('error', () => socket.destroy());
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isClosed = true;
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('close', () => reject(new Error('The server took no connection.')));
  });
  return {
    socket,
    write: (bytes) => void (socket.writable && socket.write(bytes)),
    closed,
    isClosed: () => isClosed,
    heard: () => heard,
    async answers(count) {
      const deadline = performance.now() + ANSWER_WITHIN_MS;
      for (;;) {
        const answers = parseAnswers(heard);
        if (answers.length >= count) return answers;
        if (isClosed || performance.now() > deadline) {
          throw new Error(`${answers.length} answers of ${count}, ${isClosed ? 'closed' : 'open'}: ${heard}`);
        }
        await sleep(POLL_MS);
      }
    },
  };
}

/** A head with the key, of a POST to /v1/messages unless said otherwise; the lines are headers. */
export function head(lines: readonly string[] = [], requestLine = 'POST /v1/messages HTTP/1.1'): string {
  return `${[requestLine, 'Host: localhost', `Authorization: Bearer ${KEY}`, ...lines].join('\r\n')}\r\n\r\n`;
}

export function whole(path: string): string {
  return head([], `GET ${path} HTTP/1.1`);
}

/** The answers that are there whole. */
function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end === -1) return answers;
    const [first = '', ...lines] = text.slice(at, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const bytes = Number(headers['content-length'] ?? 0);
    const rest = Buffer.from(text.slice(end + 4));
    if (rest.length < bytes) return answers;
    const body = rest.subarray(0, bytes).toString('utf8');
    answers.push({ status: Number(first.split(' ')[1]), headers, body: body === '' ? {} : JSON.parse(body) });
    at = end + 4 + body.length;
  }
}
