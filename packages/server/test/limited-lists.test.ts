/** 62: whatever lines hold what, a list shows a key that is limited to some lines all of those lines and nothing else. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EventReader, readEvents } from './event-reader.ts';
import { ENGINES, expectStatus, startTestServer, type TestServer, waitFor } from './harness.ts';
import { HOOK, QUIET_EVENTS } from './matrix-scene.ts';
import { addAccount, addKey, addLine } from './tenancy.ts';

const RUNS = { sqlite: 100, postgres: 25 } as const;
const RUN_TIMEOUT_MS = 120_000;
/** Of the account whose keys are limited, and of another one. */
const HANDLES = ['+15550101001', '+15550101002', '+15550101003', '+15550101004'] as const;
const STRANGERS = '+15550101009';
const PEERS = ['+15550106101', '+15550106102', 'peer@example.com'] as const;

interface Line {
  readonly id: string;
  readonly ref: number;
  readonly handle: string;
}

/** What was put on a line: its chats, its webhooks and the texts of its messages. */
interface Held {
  readonly chats: Set<string>;
  readonly webhooks: Set<string>;
  readonly texts: Set<string>;
}

describe.each(ENGINES)('62: the lists of a key that is limited to some lines, on %s', (engine) => {
  let test: TestServer;
  let lines: Line[];
  let stranger: Line;
  let accountRef: number;
  let keys: { own: string; stranger: string };
  let held: Map<string, Held>;
  let texts = 0;

  beforeAll(async () => {
    test = await startTestServer(engine, { environment: { TRUNKLINE_RATE_LIMIT_PER_HOUR: '1000000000' } });
    accountRef = await addAccount(test);
    const second = await addAccount(test);
    const add = async (handle: string, account: number) => ({
      ...(await addLine(test, handle, { accountRef: account })),
      handle,
    });
    lines = await Promise.all(HANDLES.map((handle) => add(handle, accountRef)));
    stranger = await add(STRANGERS, second);
    keys = { own: await addKey(test, { accountRef }), stranger: await addKey(test, { accountRef: second }) };
    held = new Map(
      [...lines, stranger].map(({ id }) => [id, { chats: new Set(), webhooks: new Set(), texts: new Set() }]),
    );
  });
  afterAll(() => test.stop());

  async function put(line: Line, peer: string, withWebhook: boolean): Promise<string> {
    const key = line === stranger ? keys.stranger : keys.own;
    const text = `Text ${texts++}.`;
    const post = async (path: string, body: unknown) =>
      expectStatus(201, await test.call('POST', path, body, { key })).body;
    const texted = await post('/simulator/v1/messages', { from: peer, to: line.handle, text });
    held.get(line.id)?.texts.add(text);
    held.get(line.id)?.chats.add(String(texted['chat_id']));
    if (!withWebhook) return text;
    const hook = await post('/v1/webhooks', { from: line.id, url: HOOK, events: QUIET_EVENTS });
    held.get(line.id)?.webhooks.add(String(hook['id']));
    return text;
  }

  /** Everything a list shows, over all of its pages. */
  async function readAll(key: string, path: string): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = [];
    let cursor = '';
    do {
      const answer = expectStatus(200, await test.call('GET', `${path}${cursor}`, undefined, { key }));
      rows.push(...(answer.body['data'] as Record<string, unknown>[]));
      const next = answer.body['next_cursor'];
      cursor = typeof next === 'string' ? `&cursor=${encodeURIComponent(next)}` : '';
    } while (cursor !== '');
    return rows;
  }

  async function expectLists(key: string, allowed: readonly Line[]): Promise<void> {
    const own = (await readAll(key, '/v1/lines?')).map((line) => line['id']);
    expect(own.filter((id) => id === stranger.id || lines.some((line) => line.id === id))).toEqual(
      lines.filter((line) => allowed.includes(line)).map(({ id }) => id),
    );
    for (const line of allowed) await expectLine(key, line);
    for (const peer of PEERS) {
      const phone = await readAll(key, `/simulator/v1/phones/${encodeURIComponent(peer)}/messages?limit=1000`);
      const shown = phone.filter((message) => !allowed.some(({ handle }) => handle === message['line']));
      expect(shown).toEqual([]);
    }
  }

  async function expectLine(key: string, line: Line): Promise<void> {
    const from = `from=${line.id}`;
    const chats = await readAll(key, `/v1/chats?${from}&limit=2`);
    expect(new Set(chats.map(({ id }) => String(id)))).toEqual(held.get(line.id)?.chats);
    const messages = await Promise.all(chats.map(({ id }) => readAll(key, `/v1/messages?${from}&to=${id}&limit=100`)));
    expect(new Set(messages.flat().map(({ text }) => String(text)))).toEqual(held.get(line.id)?.texts);
    const webhooks = await readAll(key, `/v1/webhooks?${from}`);
    expect(new Set(webhooks.map(({ id }) => String(id)))).toEqual(held.get(line.id)?.webhooks);
    const lineIds = [...chats, ...messages.flat()].map((row) => row['line_id']);
    expect([...new Set([...lineIds, ...webhooks.flatMap((row) => row['line_ids'])])]).toEqual(
      lineIds.length + webhooks.length > 0 ? [line.id] : [],
    );
  }

  it(
    `hold nothing of another line, in ${RUNS[engine]} random data sets that add to each other`,
    async () => {
      const places = fc.record({
        line: fc.nat(HANDLES.length),
        peer: fc.constantFrom(...PEERS),
        withWebhook: fc.boolean(),
      });
      const dataSet = fc.record({
        puts: fc.array(places, { minLength: 1, maxLength: 4 }),
        allowed: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
      });
      const property = fc.asyncProperty(dataSet, async ({ puts, allowed }) => {
        for (const { line, peer, withWebhook } of puts) await put(lines[line] ?? stranger, peer, withWebhook);
        const limit = lines.filter((_, index) => allowed.includes(index));
        await expectLists(await addKey(test, { accountRef, lineRefs: limit.map(({ ref }) => ref) }), limit);
      });
      await fc.assert(property, { numRuns: RUNS[engine], endOnFailure: true });
    },
    RUN_TIMEOUT_MS,
  );

  it('and its event stream has each event of its lines once, in order, and no other, live and from a cursor', async () => {
    const address = await test.server.listen();
    const limits = [[0], [1, 2], [0, 3], [0, 1, 2, 3]];
    const own = limits.map((indexes) => lines.filter((_, index) => indexes.includes(index)));
    const limited = await Promise.all(
      own.map((of) => addKey(test, { accountRef, lineRefs: of.map(({ ref }) => ref) })),
    );
    const open = (query: string) => Promise.all(limited.map((key) => readEvents(String(address), { key, query })));
    const mark = await readEvents(String(address), { key: keys.own });
    const start = await put(lines[0] ?? stranger, PEERS[0], false);
    const after = await waitFor(() => mark.events().find(({ data }) => data['text'] === start)?.id, 'the first event');
    const live = await open('');
    const told: { line: Line; text: string }[] = [];
    const everybody = [...lines, stranger];
    for (let round = 0; round < 20; round++) {
      const line = everybody[round % everybody.length] ?? stranger;
      told.push({ line, text: await put(line, PEERS[round % PEERS.length] ?? PEERS[0], false) });
    }
    const late = await open(`after=${after}`);
    const textsOf = (reader: EventReader) => reader.events().map(({ data }) => data['text']);
    for (const [index, of] of own.entries()) {
      const wanted = told.filter(({ line }) => of.includes(line)).map(({ text }) => text);
      for (const reader of [live[index], late[index]]) {
        if (!reader) throw new Error('A stream is missing.');
        await waitFor(() => textsOf(reader).length >= wanted.length || undefined, 'the events of its lines');
        expect(textsOf(reader)).toEqual(wanted);
      }
    }
    for (const reader of [mark, ...live, ...late]) reader.cut();
  });
});
