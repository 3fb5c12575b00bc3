/** 44: a client that repeats what was not answered, without any key, through a network that loses every first answer. */
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ENGINES, KEY, LINE, PHONE, startTestServer, type TestServer } from './harness.ts';

const SENDS = 1_000;
const CLIENTS = 50;
const RETRY_AFTER_MS = 500;
/** At once: before anything is committed. Later: the answer is written and lies unread. */
const CUTS_MS = [0, 60];
const TEST_MS = 60_000;

/**
 * Forwards a connection's first request and hangs up on both sides a moment later, never having read an answer: before
 * it was written, while it is, or after. A connection that says it is a repeat goes through.
 */
function startLossyProxy(port: number) {
  let cuts = 0;
  const server = createServer((client: Socket) => {
    const upstream = connect(port, '127.0.0.1');
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.on('data', (chunk: Buffer) => {
      upstream.write(chunk);
      if (chunk.includes('x-try: 2')) {
        upstream.pipe(client);
        return;
      }
      upstream.pause();
      const cut = () => {
        upstream.destroy();
        client.destroy();
      };
      setTimeout(cut, CUTS_MS[cuts++ % CUTS_MS.length]);
    });
    client.on('close', () => upstream.destroy());
  });
  return new Promise<{ port: number; close: () => void }>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      resolve({ port, close: () => server.close() });
    });
  });
}

/** One try on a connection of its own. Gives the status, or null when the connection broke. */
function post(port: number, text: string, attempt: number): Promise<number | null> {
  return new Promise((resolve) => {
    const body = JSON.stringify({ from: LINE, to: PHONE, text });
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
      const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
      if (status === undefined || !answer.includes('request_id')) return;
      socket.end();
      resolve(Number(status));
    });
    socket.on('error', () => resolve(null));
    socket.on('close', () => resolve(null));
    socket.write(
      `POST /v1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n` +
        `x-try: ${attempt}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
}

/** How many of the sends the phone has seen. */
async function onTheAir(test: TestServer): Promise<number> {
  let count = 0;
  let cursor: unknown = '';
  while (cursor !== null) {
    const page = await test.call('GET', `/simulator/v1/phones/${encodeURIComponent(PHONE)}/messages?cursor=${cursor}`);
    const messages = page.body['data'] as { text: string }[];
    count += messages.filter(({ text }) => text.startsWith('Send ')).length;
    cursor = page.body['next_cursor'];
  }
  return count;
}

async function sent(test: TestServer): Promise<number> {
  const query = test.server.engine.query.selectFrom('outbox').select((items) => items.fn.countAll().as('count'));
  return Number((await query.where('state', '=', 'sent').executeTakeFirstOrThrow()).count);
}

describe.each(ENGINES)('44: a network that loses every first answer, on %s', (engine) => {
  it(
    `puts ${SENDS} sends of a client that repeats on the air exactly once each`,
    async () => {
      const test = await startTestServer(engine);
      await test.server.app.listen({ host: '127.0.0.1', port: 0 });
      const address = test.server.app.server.address();
      const proxy = await startLossyProxy(typeof address === 'object' && address !== null ? address.port : 0);
      let next = 0;
      const client = async () => {
        while (next < SENDS) {
          const text = `Send ${next++}`;
          if ((await post(proxy.port, text, 1)) !== null)
            throw new Error('An answer came through that had to be lost.');
          await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
          expect(await post(proxy.port, text, 2)).toBe(201);
        }
      };
      await Promise.all(Array.from({ length: CLIENTS }, client));
      const rows = await test.server.engine.query.selectFrom('outbox').select('payload').execute();
      const texts = rows.map((row) => String((JSON.parse(row.payload) as { text: string }).text));
      expect({ items: texts.length, different: new Set(texts).size }).toEqual({ items: SENDS, different: SENDS });
      while ((await sent(test)) < SENDS) await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await onTheAir(test)).toBe(SENDS);
      proxy.close();
      await test.stop();
    },
    TEST_MS,
  );
});
