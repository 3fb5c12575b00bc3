/** The event stream through the deaths of the real server, and through the cuts that a script makes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answering, refusal, type ScriptedServer, startScriptedServer } from '../../cli/test/scripted-server.ts';
import { createAdminClient } from '../src/admin.ts';
import {
  AuthenticationError,
  ConnectionError,
  createClient,
  InvalidRequestError,
  type MessagesClient,
  type StreamedEvent,
} from '../src/index.ts';
import { KEY, LINE, PHONE, type RealServer, startRealServer } from './real-server.ts';
import { refusalOf } from './refusal-of.ts';

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await sleep(10);
};

describe('the events of a real server', () => {
  let server: RealServer;
  let client: MessagesClient;
  beforeAll(async () => {
    server = await startRealServer();
    client = createClient({ apiKey: KEY, baseUrl: server.url });
  });
  afterAll(() => server.remove());

  const text = (words: string) =>
    createAdminClient({ apiKey: KEY, baseUrl: server.url, maxRetries: 8 }).simulator.sendText({
      from: PHONE,
      to: LINE,
      text: words,
    });

  // Two starts of a whole server are part of it.
  it('come through two kills of the server, all of them and each once', { timeout: 60_000 }, async () => {
    const got: StreamedEvent[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      for await (const event of client.events({ events: ['message.received'], signal: stop.signal })) got.push(event);
    })();
    await server.streamIsOpen();
    const sent: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let count = 0; count < 5; count += 1) {
        const words = `round ${round}, text ${count}`;
        sent.push(words);
        await text(words);
      }
      if (round === 2) break;
      await server.kill();
      await server.startAgain();
    }
    await until(() => got.length >= sent.length);
    await sleep(200);
    expect(got.map((event) => (event.event === 'message.received' ? event.data.text : null))).toEqual(sent);
    expect(new Set(got.map((event) => event.cursor)).size).toBe(sent.length);
    stop.abort();
    await reading;
  });

  it('can be taken up again behind a cursor, by another client', async () => {
    const first = client.events();
    const next = first.next();
    await server.streamIsOpen();
    await text('one');
    const { value } = await next;
    await first.return();
    await text('two');
    await text('three');
    const texts: unknown[] = [];
    for await (const event of createClient({ apiKey: KEY, baseUrl: server.url }).events({
      after: value?.cursor ?? '',
    })) {
      texts.push(event.event === 'message.received' && event.data.text);
      if (texts.length === 2) break;
    }
    expect(texts).toEqual(['two', 'three']);
  });

  it('end when they are aborted, also before they began, and when nobody waits any more', async () => {
    const stop = new AbortController();
    const events = client.events({ signal: stop.signal });
    const next = events.next();
    await sleep(100);
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await client.events({ signal: AbortSignal.abort() }).next()).toMatchObject({ done: true });
    const waiting = client.events();
    const never = waiting.next();
    await sleep(100);
    await waiting.return();
    expect(await never).toMatchObject({ done: true });
  });

  it('are refused for a wrong key and for a cursor of another log', async () => {
    const wrong = createClient({ apiKey: `${KEY}x`, baseUrl: server.url });
    expect(await refusalOf(wrong.events().next())).toBeInstanceOf(AuthenticationError);
    const error = await refusalOf(client.events({ after: 'another.1' }).next());
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error).toMatchObject({ param: 'after' });
  });
});

describe('a stream in pieces', () => {
  let scripted: ScriptedServer;
  let client: MessagesClient;
  beforeAll(async () => {
    scripted = await startScriptedServer();
    client = createClient({ apiKey: KEY, baseUrl: scripted.url, maxRetries: 1 });
  });
  afterAll(() => scripted.close());

  const block = (cursor: number, words: string) =>
    `id: e.${cursor}\ndata: ${JSON.stringify({ event: 'message.received', data: { text: words }, timestamp: cursor })}\n\n`;
  const stream =
    (pieces: readonly Uint8Array[], headers: Readonly<Record<string, string>> = {}): Answering =>
    async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
      for (const piece of pieces) {
        response.write(piece);
        await sleep(1);
      }
      response.destroy();
    };
  const bytes = (words: string) => [new TextEncoder().encode(words)];
  const take = async (count: number, of = client): Promise<string[]> => {
    const texts: string[] = [];
    for await (const event of of.events()) {
      texts.push(event.event === 'message.received' ? `${event.cursor} ${event.data.text}` : event.event);
      if (texts.length === count) break;
    }
    return texts;
  };

  it('is read whole, however its bytes are cut, with any end of a line', async () => {
    const words = `\uFEFF: hello\r\n\r\n${block(1, 'Grüße 👋')}retry: 5\n\n${block(2, 'b').replaceAll('\n', '\r\n')}${block(3, 'c').replaceAll('\n', '\r')}data: no\n`;
    const whole = new TextEncoder().encode(words);
    scripted.behave(stream(Array.from(whole, (byte) => Uint8Array.of(byte))));
    expect(await take(3)).toEqual(['e.1 Grüße 👋', 'e.2 b', 'e.3 c']);
  });

  it('goes on behind its last event, and gives none twice that the server repeats', async () => {
    scripted.behave((response, asked, count) => {
      const parts = count === 1 ? [block(1, 'a'), block(2, 'b')] : [block(2, 'b'), block(3, 'c')];
      return stream(bytes(parts.join('')))(response, asked, count);
    });
    expect(await take(3)).toEqual(['e.1 a', 'e.2 b', 'e.3 c']);
    expect(scripted.asked.map((one) => one.headers['last-event-id'])).toEqual([undefined, 'e.2']);
  });

  it('that is cut before its first event goes on where it began', async () => {
    scripted.behave((response, asked, count) =>
      stream(bytes(count === 1 ? ': connected\n\n' : block(8, 'missed')), { 'x-event-cursor': 'e.7' })(
        response,
        asked,
        count,
      ),
    );
    expect(await take(1)).toEqual(['e.8 missed']);
    expect(scripted.asked.map((one) => one.headers['last-event-id'])).toEqual([undefined, 'e.7']);
  });

  it('waits through a server that comes back, and ends when it is refused', async () => {
    scripted.behave((response, asked, count) => {
      if (count === 1) return stream(bytes(block(1, 'a')))(response, asked, count);
      return refusal(count === 2 ? 503 : 401, count === 2 ? 'overloaded' : 'invalid_api_key')(response, asked, count);
    });
    expect(await refusalOf(take(2))).toBeInstanceOf(AuthenticationError);
    expect(scripted.asked).toHaveLength(3);
  });

  it('closes its connection when the loop is left', async () => {
    let isClosed = false;
    scripted.behave((response) => {
      response.on('close', () => {
        isClosed = true;
      });
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(block(1, 'a'));
    });
    await take(1);
    await until(() => isClosed);
    expect(isClosed).toBe(true);
  });

  it('that was never there is an error after the retries', async () => {
    const nobody = createClient({ apiKey: KEY, baseUrl: 'http://127.0.0.1:9', maxRetries: 1 });
    expect(await refusalOf(take(1, nobody))).toBeInstanceOf(ConnectionError);
  });

  it('that is no stream is an error', async () => {
    scripted.behave((response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Welcome</p>'));
    expect(await refusalOf(take(1))).toMatchObject({ code: 'unexpected_answer', status: 200 });
    scripted.behave(stream(bytes('id: e.1\ndata: nonsense\n\n')));
    expect(await refusalOf(take(1))).toMatchObject({ code: 'unexpected_answer' });
  });
});
