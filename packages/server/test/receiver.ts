/** A webhook receiver that keeps what it gets and behaves as a test wants it to. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { vi } from 'vitest';
import { expectDocumentedEvent } from './documented.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Real milliseconds, by the test's own clock. */
  readonly at: number;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Answers one request; without a call of `end` it hangs. */
export type Behaviour = (response: ServerResponse, received: Received) => void;

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** Requests that came and were not answered yet. */
  open(): number;
  /** How often anybody connected. */
  connections(): number;
  behave(behaviour: Behaviour): void;
  /** Throws where a delivery was not as the documents say. */
  close(): Promise<void>;
}

export const answers =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  (response) => {
    response.writeHead(status, headers).end('noted');
  };
export const hangs: Behaviour = () => undefined;
export const closesEarly: Behaviour = (response) => {
  response.socket?.destroy();
};

/** `expectBody` throws where a body is not as the documents say. */
export async function startReceiver(
  behaviour: Behaviour = answers(200),
  expectBody: (body: unknown) => void = expectDocumentedEvent,
): Promise<Receiver> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let current = behaviour;
  let open = 0;
  let connections = 0;
  const undocumented: unknown[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const parsed = JSON.parse(body) as { event: string; data: Record<string, unknown> };
      const one = { path: request.url ?? '', headers: request.headers, body, at: performance.now(), ...parsed };
      received.push(one);
      try {
        expectBody(parsed);
      } catch (error) {
        undocumented.push(error);
      }
      open++;
      response.on('close', () => {
        open--;
      });
      current(response, one);
    });
  });
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    open: () => open,
    connections: () => connections,
    behave(next) {
      current = next;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      if (undocumented.length > 0) throw undocumented[0];
    },
  };
}

/** Checks a delivery's signature with nothing of ours. */
export function isSigned(one: Received, secret: string): boolean {
  const timestamp = String(one.headers['x-webhook-timestamp']);
  const expected = createHmac('sha256', secret).update(`${timestamp}.${one.body}`).digest('hex');
  return one.headers['x-webhook-signature'] === expected;
}

/** Checks the Standard Webhooks headers with the reference library, at the moment that the delivery speaks of. */
export function isStandardSigned(one: Received, secret: string): boolean {
  const clock = vi.spyOn(Date, 'now').mockReturnValue(Number(one.headers['x-webhook-timestamp']));
  const headers = Object.fromEntries(Object.entries(one.headers).map(([name, value]) => [name, String(value)]));
  try {
    const verified: unknown = new Webhook(secret).verify(one.body, headers);
    return JSON.stringify(verified) === JSON.stringify(JSON.parse(one.body));
  } catch {
    return false;
  } finally {
    clock.mockRestore();
  }
}
