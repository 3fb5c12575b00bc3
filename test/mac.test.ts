/** A line on a Mac, from outside: the server, the agent and the Mac are processes of their own. The Mac is a fake. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import Database from 'better-sqlite3';
import selfsigned from 'selfsigned';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakeMac, startFakeMac } from '../packages/drivers/test/fake-mac/mac.ts';
import { type AgentProcess, startAgentProcess } from './agent-process.ts';
import { countFrom } from './counts.ts';
import { type Product, startProduct } from './product.ts';

const KEY = 'sk_live_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG';
const LINE = '+15550100088';
const PHONE = '+15550109988';
const KILLS = countFrom('SOAK_AGENT_KILLS');
/** What waited through the kills goes out one by one. */
const WAIT_MS = 60_000 + KILLS * 4_000;

type Body = Record<string, unknown>;

describe('a line on a Mac', () => {
  let folder: string;
  let port = '0';
  let server: Product;
  let origin: string;
  let mac: FakeMac;
  let token: string;
  const agents: AgentProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
    port = '0';
    await startServer();
    port = new URL(origin).port;
    mac = await startFakeMac({ line: LINE });
    await call('POST', '/admin/v1/lines', { handle: LINE, driver: 'remote', settings: { pace_ms: 0 } });
    token = String((await call('POST', '/admin/v1/devices', { name: 'Mac mini', lines: [LINE] }))['token']);
  });
  afterEach(async () => {
    for (const agent of agents.splice(0)) {
      agent.kill('SIGKILL');
      await agent.ended;
    }
    await mac.close();
    server.kill('SIGKILL');
    await server.ended;
    await rm(folder, { recursive: true, force: true });
  });

  async function startServer(): Promise<void> {
    server = startProduct({ TRUNKLINE_DATA_DIR: folder, TRUNKLINE_BOOTSTRAP_API_KEY: KEY, TRUNKLINE_PORT: port });
    origin = await server.listens;
  }
  async function startAgent(address = origin, certificate?: string): Promise<AgentProcess> {
    const agent = await startAgentProcess({ mac, server: address, token, ...(certificate ? { certificate } : {}) });
    agents.push(agent);
    return agent;
  }
  async function call(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Body> {
    const answer = await fetch(`${origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Body;
  }
  const until = <T>(check: () => Promise<T> | T): Promise<T> => vi.waitFor(check, { timeout: WAIT_MS, interval: 50 });
  const messages = async () => {
    const path = `/v1/messages?from=${encodeURIComponent(LINE)}&to=${encodeURIComponent(PHONE)}&limit=100`;
    return ((await call('GET', path))['data'] as Body[]).toReversed();
  };
  const online = () =>
    until(async () => {
      const line = await call('GET', `/admin/v1/lines/${encodeURIComponent(LINE)}`);
      expect(line['health']).toMatchObject({ state: 'online' });
    });
  const send = async (text: string, key: string) => {
    const body = { from: LINE, to: PHONE, text };
    return String((await call('POST', '/v1/messages', body, { 'idempotency-key': key }))['id']);
  };

  it('hears a phone and answers it, through a proxy that ends TLS, with the agent alone on its Mac', async () => {
    const { private: key, cert } = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }]);
    const proxy = await startTlsProxy(key, cert, Number(port));
    const agent = await startAgent(proxy.address, cert);
    await online();
    await mac.act('text', { from: PHONE, text: 'Are you real?' });
    await until(async () => expect((await messages()).map(({ text }) => text)).toEqual(['Are you real?']));
    const id = await send('As real as my Mac', 'answer 1');
    await until(async () => expect(await call('GET', `/v1/outbox?id=${id}`)).toMatchObject({ status: 'sent' }));
    const got = await until(async () => {
      const all = await mac.act('received', { chat: PHONE });
      expect(all).toHaveLength(1);
      return all;
    });
    expect(got[0]).toMatchObject({ text: 'As real as my Mac' });
    await until(async () => expect((await messages()).at(-1)).toMatchObject({ guid: got[0]?.guid }));
    const loaded = await agent.loaded();
    expect(loaded.length).toBeGreaterThan(50);
    const forbidden = /node_modules\/(fastify|pg|kysely|pino|undici)\/|^packages\/server\//;
    expect(loaded.filter((path) => forbidden.test(path))).toEqual([]);
    agent.kill('SIGTERM');
    expect(await agent.ended).toBe(0);
    await proxy.close();
  });

  it(`sends nothing twice and loses nothing through ${KILLS} kills of the agent and of the server`, async () => {
    await startAgent();
    await online();
    await mac.act('text', { from: PHONE, text: 'Begin' });
    await until(async () => expect(await messages()).toHaveLength(1));
    const heard: string[] = ['Begin'];
    const said: { id: string; text: string }[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      for (const part of ['a', 'b']) {
        heard.push(`Heard ${kill} ${part}`);
        await mac.act('text', { from: PHONE, text: `Heard ${kill} ${part}` });
        const text = `Said ${kill} ${part}`;
        said.push({ id: await send(text, text), text });
      }
      // Somewhere between the hand-over, the script, the row and its report.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 600));
      if (kill % 3 === 2) {
        server.kill('SIGKILL');
        await server.ended;
        await startServer();
      } else {
        const agent = agents.pop();
        agent?.kill('SIGKILL');
        await agent?.ended;
        await startAgent();
      }
    }
    const ends = await until(() => {
      const all = endsOf(folder);
      expect(all).toHaveLength(said.length);
      expect(all.filter(({ state }) => !['sent', 'failed', 'unknown'].includes(state))).toEqual([]);
      return all;
    });
    const textsOf = (state: string) =>
      said.filter(({ id }) => ends.some((end) => end.id === id && end.state === state)).map(({ text }) => text);
    const onPhone = await until(async () => {
      const texts = (await mac.act('received', { chat: PHONE })).map(({ text }) => text ?? '');
      expect(texts).toEqual(expect.arrayContaining(textsOf('sent')));
      return texts;
    });
    expect(onPhone.length).toBe(new Set(onPhone).size);
    // What nobody knows may be there or not; nothing that is called failed or waiting is.
    const known = new Set([...textsOf('sent'), ...textsOf('unknown')]);
    expect(onPhone.filter((text) => !known.has(text))).toEqual([]);
    expect(textsOf('unknown').length).toBeLessThanOrEqual(Math.ceil(KILLS / 10));
    for (const { state, error } of ends) if (state !== 'sent') expect(error).toMatch(/\w+ .*\./);
    await until(async () => {
      const texts = await everything(call);
      const inbound = texts.filter((text) => text.startsWith('Heard') || text === 'Begin');
      expect(inbound.toSorted()).toEqual(heard.toSorted());
    });
  });
});

interface End {
  readonly id: string;
  readonly state: string;
  readonly error: string | null;
}

function endsOf(folder: string): End[] {
  const database = new Database(join(folder, 'trunkline.sqlite'), { readonly: true });
  try {
    return database.prepare<[], End>('select id, state, error from outbox').all();
  } finally {
    database.close();
  }
}

/** Every text of the line's chat with the phone, page by page. */
async function everything(call: (method: string, path: string) => Promise<Body>): Promise<string[]> {
  const texts: string[] = [];
  let cursor = '';
  for (;;) {
    const path = `/v1/messages?from=${encodeURIComponent(LINE)}&to=${encodeURIComponent(PHONE)}&limit=100`;
    const page = await call('GET', cursor === '' ? path : `${path}&cursor=${encodeURIComponent(cursor)}`);
    texts.push(...(page['data'] as Body[]).map(({ text }) => String(text)));
    if (page['has_more'] !== true) return texts;
    cursor = String(page['next_cursor']);
  }
}

async function startTlsProxy(key: string, cert: string, upstream: number) {
  const proxy: Server = createServer({ key, cert }, (client) => {
    const far = connect(upstream, '127.0.0.1');
    client.pipe(far).pipe(client);
    client.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => client.destroy()).on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as { port: number };
  return {
    address: `https://localhost:${port}`,
    close: () => new Promise((resolve) => proxy.close(resolve)),
  };
}
