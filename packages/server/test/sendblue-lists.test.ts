/**
 * The list of messages in Sendblue's manner against a model: whatever is asked for, the answer is what a plain filter
 * leaves of a walk over all pages.
 */
import fc from 'fast-check';
import type SendblueAPI from 'sendblue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashKey } from '../src/access/keys.ts';
import { findListedItems } from '../src/store/listed-item-pages.ts';
import type { ItemFilter } from '../src/store/listed-item-query.ts';
import { ENGINES, expectStatus, LINE, SANDBOX_LINE } from './harness.ts';
import { fillLists, type ListedScene } from './listed-scene.ts';
import { type SendblueStage, startSendblue } from './sendblue-stage.ts';
import { SECOND_LINE } from './tenancy.ts';

const SEED = 20_261_121;
const RUNS = 150;
const PAGE_MAX = 100;
const HANDLE = /^[0-9A-F]{8}-[0-9A-F]{4}-[78][0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/;
const ORDERS = ['createdAt', 'updatedAt', 'sentAt', 'created_at', 'updated_at', 'sent_at'] as const;
const STATUSES = [
  'REGISTERED',
  'PENDING',
  'QUEUED',
  'ACCEPTED',
  'SENT',
  'DELIVERED',
  'DECLINED',
  'ERROR',
  'RECEIVED',
  'SUCCESS',
] as const;

type Query = Readonly<Record<string, string>>;

/** As much of an item as filters look at. */
interface Item {
  readonly [field: string]: unknown;
  readonly account_email: string;
  readonly content: string;
  readonly date_created: string;
  readonly date_updated: string;
  readonly from_number: string;
  readonly group_id: string;
  readonly is_outbound: boolean;
  readonly message_handle: string;
  readonly message_type: string;
  readonly number: string;
  readonly sendblue_number: string;
  readonly service: string;
  readonly status: string;
  readonly to_number: string;
}

interface List {
  readonly data: readonly Item[];
  readonly pagination: {
    readonly hasMore: boolean;
    readonly limit: number;
    readonly offset: number;
    readonly total: number;
  };
}

/** What each filter leaves. */
const MODEL: Readonly<Record<string, (item: Item, value: string) => boolean>> = {
  account_email: (item, value) => item.account_email === value,
  created_at_gte: (item, value) => Date.parse(item.date_created) >= Date.parse(value),
  created_at_lte: (item, value) => Date.parse(item.date_created) <= Date.parse(value),
  sent_at_gte: (item, value) => Date.parse(item.date_created) >= Date.parse(value),
  sent_at_lte: (item, value) => Date.parse(item.date_created) <= Date.parse(value),
  updated_at_gte: (item, value) => Date.parse(item.date_updated) >= Date.parse(value),
  updated_at_lte: (item, value) => Date.parse(item.date_updated) <= Date.parse(value),
  from_number: (item, value) => item.from_number === value,
  to_number: (item, value) => item.to_number === value,
  number: (item, value) => item.from_number === value || item.to_number === value,
  sendblue_number: (item, value) => item.sendblue_number === value,
  group_id: (item, value) => item.group_id === value,
  is_outbound: (item, value) => item.is_outbound === (value === 'true'),
  message_type: (item, value) => item.message_type === value,
  service: (item, value) => item.service === value,
  status: (item, value) => item.status === value,
  worker_id: () => true,
};

describe.each(ENGINES)('lists on %s', (engine) => {
  let stage: SendblueStage;
  let scene: ListedScene;
  /** Everything, by order and direction. */
  const walks = new Map<string, readonly Item[]>();
  const all = () => walks.get('createdAt desc') ?? [];

  beforeAll(async () => {
    stage = await startSendblue(engine, { environment: { TRUNKLINE_ROLES: 'api' } });
    scene = await fillLists(stage.test);
    for (const order of ['createdAt', 'updatedAt'] as const) {
      for (const direction of ['asc', 'desc'] as const) {
        walks.set(`${order} ${direction}`, await walk(stage.client, { order_by: order, order_direction: direction }));
      }
    }
  }, 120_000);
  afterAll(() => stage.test.stop());

  const ask = async (query: Query, client = stage.client) => (await client.get('/api/v2/messages', { query })) as List;

  async function walk(client: SendblueAPI, query: Query, limit = 37): Promise<readonly Item[]> {
    const items: Item[] = [];
    for (;;) {
      const page = await ask({ ...query, limit: String(limit), offset: String(items.length) }, client);
      items.push(...page.data);
      expect(page.pagination.hasMore).toBe(items.length < page.pagination.total);
      if (!page.pagination.hasMore) return items;
    }
  }

  const clientOf = async (key: string) => {
    const query = stage.test.server.engine.query.selectFrom('api_keys').select('id').where('hash', '=', hashKey(key));
    return stage.clientWith({ apiKey: (await query.executeTakeFirstOrThrow()).id, apiSecret: key });
  };

  it('have something of every kind, each once, in a total order', () => {
    const [created, updated] = [all(), walks.get('updatedAt desc') ?? []];
    expect(created.length).toBeGreaterThan(250);
    expect(new Set(created.map(({ message_handle }) => message_handle)).size).toBe(created.length);
    for (const { message_handle } of created) expect(message_handle).toMatch(HANDLE);
    const statuses = new Set(created.map(({ status }) => status));
    expect([...statuses].sort()).toEqual(['ACCEPTED', 'DELIVERED', 'ERROR', 'QUEUED', 'RECEIVED', 'SENT']);
    expect([...new Set(created.map(({ service }) => service))].sort()).toEqual(['RCS', 'SMS', 'iMessage']);
    expect([...new Set(created.map(({ sendblue_number }) => sendblue_number))].sort()).toEqual(scene.lines.toSorted());
    for (const [field, items] of [
      ['date_created', created],
      ['date_updated', updated],
    ] as const) {
      const times = items.map((item) => String(item[field]));
      expect(times).toEqual(times.toSorted().reverse());
      expect(new Set(times).size).toBeLessThan(times.length / 2);
    }
    for (const order of ['createdAt', 'updatedAt']) {
      expect(walks.get(`${order} asc`)).toEqual(walks.get(`${order} desc`)?.toReversed());
    }
    expect(new Set(updated.map(({ message_handle }) => message_handle))).toEqual(
      new Set(created.map(({ message_handle }) => message_handle)),
    );
  });

  it.each([1, 7, 100])('give each item once over pages of %i', async (limit) => {
    const query = { sendblue_number: SECOND_LINE, order_by: 'updatedAt' };
    const handles = (items: readonly Item[]) => items.map(({ message_handle }) => message_handle);
    const expected = walks.get('updatedAt desc')?.filter((item) => item.sendblue_number === SECOND_LINE) ?? [];
    expect(expected.length).toBeGreaterThan(50);
    expect(handles(await walk(stage.client, query, limit))).toEqual(handles(expected));
  });

  /** Values that are in the scene, and some that are not. */
  const filters = () => {
    const of = <T>(...values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined, freq: 3 });
    const seldom = <T>(...values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined, freq: 1 });
    const times = [0, 0.2, 0.5, 0.8, 1].map(
      (part) => scene.firstAt + Math.round((scene.lastAt - scene.firstAt) * part),
    );
    const time = fc.option(
      fc
        .tuple(fc.constantFrom(...times), fc.integer({ min: -1, max: 1 }))
        .map(([at, by]) => new Date(at + by).toISOString()),
      { nil: undefined, freq: 1 },
    );
    const numbers = [...scene.peers, ...scene.lines, ...Object.values(scene.phones), '+15550129999'];
    return fc.record({
      account_email: seldom(...new Set(all().map(({ account_email }) => account_email)), 'nobody@example.com'),
      created_at_gte: time,
      created_at_lte: time,
      sent_at_gte: time,
      sent_at_lte: time,
      updated_at_gte: time,
      updated_at_lte: time,
      from_number: seldom(...numbers),
      to_number: seldom(...numbers),
      number: of(...numbers),
      sendblue_number: of(...scene.lines, scene.strangers.line),
      group_id: seldom(...scene.groupIds, scene.strangers.groupId, 'cht_none'),
      is_outbound: of('true', 'false'),
      message_type: of('message', 'group'),
      service: of('iMessage', 'iMessage', 'SMS', 'RCS'),
      status: of(...STATUSES, 'DELIVERED', 'RECEIVED', 'QUEUED', 'ACCEPTED'),
      worker_id: seldom('w1'),
      order_by: of(...ORDERS),
      order_direction: of('asc', 'desc'),
      limit: fc.option(fc.integer({ min: 1, max: PAGE_MAX }), { nil: undefined }),
      offset: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
    });
  };

  /** Few filters at a time, or nothing would ever pass. */
  const queries = () =>
    fc.tuple(filters(), fc.shuffledSubarray(Object.keys(MODEL), { maxLength: 3 })).map(([given, kept]): Query => {
      const entries = Object.entries(given).filter(
        ([name, value]) => value !== undefined && (kept.includes(name) || !(name in MODEL)),
      );
      return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
    });

  function expected(query: Query): List {
    const order = query['order_by']?.startsWith('updated') ? 'updatedAt' : 'createdAt';
    const walked = walks.get(`${order} ${query['order_direction'] ?? 'desc'}`) ?? [];
    const passed = walked.filter((item) =>
      Object.entries(MODEL).every(([name, passes]) => query[name] === undefined || passes(item, query[name])),
    );
    const [limit, offset] = [Number(query['limit'] ?? PAGE_MAX), Number(query['offset'] ?? 0)];
    const data = passed.slice(offset, offset + limit);
    return { data, pagination: { hasMore: offset + limit < passed.length, limit, offset, total: passed.length } };
  }

  it('give what a plain filter leaves, whatever is asked for', async () => {
    let shown = 0;
    const runs = fc.asyncProperty(queries(), async (query) => {
      const { data, pagination } = await ask(query);
      expect({ data, pagination }).toEqual(expected(query));
      shown += data.length > 0 ? 1 : 0;
    });
    await fc.assert(runs, { numRuns: RUNS, seed: SEED });
    // Nothing is found where nothing is looked for.
    expect(shown).toBeGreaterThan(RUNS / 3);
  }, 120_000);

  it('give by each filter alone what has that value, and nothing else', async () => {
    const item = all().find(({ message_type, status }) => message_type === 'group' && status === 'DELIVERED');
    const middle = new Date(Math.round((scene.firstAt + scene.lastAt) / 2)).toISOString();
    const [peer = '', , mail = ''] = scene.peers;
    const singles: readonly SendblueAPI.MessageListParams[] = [
      { account_email: item?.account_email ?? '' },
      ...(
        ['created_at_gte', 'created_at_lte', 'sent_at_gte', 'sent_at_lte', 'updated_at_gte', 'updated_at_lte'] as const
      ).map((name) => ({ [name]: middle })),
      ...[peer, mail, LINE, SECOND_LINE].flatMap((number) => [
        { number },
        { from_number: number },
        { to_number: number },
      ]),
      ...scene.lines.map((sendblue_number) => ({ sendblue_number })),
      ...scene.groupIds.map((group_id) => ({ group_id })),
      ...(['true', 'false'] as const).map((is_outbound) => ({ is_outbound })),
      ...(['message', 'group'] as const).map((message_type) => ({ message_type })),
      ...(['iMessage', 'SMS', 'RCS'] as const).map((service) => ({ service })),
      ...(['QUEUED', 'ACCEPTED', 'SENT', 'DELIVERED', 'ERROR', 'RECEIVED'] as const).map((status) => ({ status })),
      { number: scene.phones.now },
      { worker_id: 'w1' },
    ];
    for (const single of singles) {
      const list = await stage.client.messages.list(single);
      const { data, pagination } = expected(single as Query);
      expect(list, JSON.stringify(single)).toMatchObject({ data, pagination });
      expect(list.data?.length, JSON.stringify(single)).toBeGreaterThan(0);
    }
  });

  it('take in both ends of a time, in either order', async () => {
    const unchanged = all().filter((item) => item.date_created === item.date_updated && item.number !== '');
    const some = [unchanged[0], unchanged[Math.floor(unchanged.length / 2)], unchanged.at(-1)];
    const names = Object.keys(MODEL).filter((name) => /_at_[gl]te$/.test(name));
    expect(names).toHaveLength(6);
    for (const item of some) {
      for (const name of names) {
        for (const order of ['createdAt', 'updatedAt']) {
          const query = { [name]: item?.date_created ?? '', order_by: order, number: item?.number ?? '' };
          const { data } = await ask(query);
          expect(data, JSON.stringify(query)).toEqual(expected(query).data);
        }
        const both = {
          [name]: item?.date_created ?? '',
          [name.replace(/.te$/, (end) => (end === 'gte' ? 'lte' : 'gte'))]: item?.date_created ?? '',
        };
        for (const order of ['createdAt', 'updatedAt']) {
          const { data } = await ask({ ...both, order_by: order });
          expect(data.map(({ message_handle }) => message_handle)).toContain(item?.message_handle);
        }
      }
    }
  });

  it('are the same by whichever index they are read, few or many', async () => {
    const { engine: database } = stage.test.server;
    const rows = await database.query.selectFrom('listed_items').selectAll().execute();
    const mine = rows.filter(
      ({ account_ref: account }) => account === rows.find(({ place }) => place > 1)?.account_ref,
    );
    const given = <T>(...values: readonly T[]) =>
      fc.option(fc.constantFrom(...new Set(values)), { nil: undefined, freq: 1 });
    const time = given(...mine.flatMap(({ created_at: created, updated_at: updated }) => [created, updated]));
    const lineRefs = mine.map(({ line_ref: line }) => line);
    const parties = fc.record({
      side: fc.constantFrom('from' as const, 'to' as const, 'either' as const),
      who: fc.oneof(
        fc.constantFrom(...mine.map(({ peer }) => peer)).map((peer) => ({ peer, lineRef: null })),
        fc.constantFrom(...lineRefs).map((lineRef) => ({ peer: null, lineRef })),
      ),
    });
    const filter = fc.record({
      createdFrom: time,
      createdTo: time,
      updatedFrom: time,
      updatedTo: time,
      parties: fc.array(
        parties.map(({ side, who }) => ({ side, ...who })),
        { maxLength: 1 },
      ),
      lineRef: given(...lineRefs),
      chatRef: fc.option(fc.constantFrom(...mine.flatMap(({ chat_ref: chat }) => chat ?? [])), {
        nil: undefined,
        freq: 1,
      }),
      isGroup: given(true, false),
      isOutbound: given(true, false),
      service: given('imessage' as const, 'sms' as const, 'rcs' as const),
      status: given('QUEUED' as const, 'ACCEPTED' as const, 'SENT' as const, 'DELIVERED' as const, 'RECEIVED' as const),
    });
    const page = fc.record({
      order: fc.constantFrom('created_at' as const, 'updated_at' as const),
      direction: fc.constantFrom('asc' as const, 'desc' as const),
      limit: fc.integer({ min: 1, max: 20 }),
      offset: fc.integer({ min: 0, max: 10 }),
    });
    const kept = fc.shuffledSubarray(
      [
        'createdFrom',
        'createdTo',
        'updatedFrom',
        'updatedTo',
        'parties',
        'lineRef',
        'chatRef',
        'isGroup',
        'isOutbound',
        'service',
        'status',
      ],
      { maxLength: 3 },
    );
    let shown = 0;
    const runs = fc.asyncProperty(filter, kept, page, async (all, names, asked) => {
      const some = Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
      const whole: ItemFilter = { accountRef: mine[0]?.account_ref ?? 0, lineRefs: null, shared: null, ...some };
      const found = await findListedItems(database, whole, asked);
      for (const bounds of [
        { exactMax: 5, lookedAt: 10 },
        { exactMax: 40, lookedAt: 1 },
      ]) {
        const { refs, hasMore, total } = await findListedItems(database, whole, asked, bounds);
        expect({ refs, hasMore }).toEqual({ refs: found.refs, hasMore: found.hasMore });
        if (found.total <= bounds.exactMax || !hasMore)
          expect(total).toBeGreaterThanOrEqual(Math.min(found.total, bounds.exactMax));
        if (found.total <= bounds.exactMax) expect(total).toBe(found.total);
        if (hasMore) expect(total).toBeGreaterThan(asked.offset + refs.length);
      }
      shown += found.refs.length > 0 ? 1 : 0;
    });
    await fc.assert(runs, { numRuns: 2 * RUNS, seed: SEED });
    expect(shown).toBeGreaterThan(RUNS / 2);
  }, 120_000);

  it("give nothing for what is not there or is not the caller's", async () => {
    const nothing = [
      { account_email: 'nobody@example.com' },
      { sendblue_number: scene.strangers.line },
      { sendblue_number: '+15550129999' },
      { group_id: scene.strangers.groupId },
      { group_id: 'cht_none' },
      { group_id: 'none' },
      { number: '+15550129999' },
      { number: scene.phones.before },
      { number: scene.phones.strangers },
      { created_at_gte: '2099-01-01' },
      { status: 'REGISTERED' },
      { status: 'PENDING' },
      { status: 'DECLINED' },
      { status: 'SUCCESS' },
      { offset: '100000' },
    ] as const;
    for (const query of nothing) expect((await ask(query)).data, JSON.stringify(query)).toEqual([]);
    const past = await ask({ offset: '100000' });
    expect(past.pagination).toEqual({ hasMore: false, limit: PAGE_MAX, offset: 100_000, total: all().length });
  });

  it('show another account its own, and a key for one line that line and the shared one', async () => {
    const strangers = await clientOf(scene.strangers.key);
    const theirs = await walk(strangers, {});
    const lines = (items: readonly Item[]) => [...new Set(items.map(({ sendblue_number }) => sendblue_number))].sort();
    expect(lines(theirs)).toEqual([SANDBOX_LINE, scene.strangers.line]);
    const ours = new Set(all().map(({ message_handle }) => message_handle));
    for (const { message_handle } of theirs) expect(ours.has(message_handle)).toBe(false);
    const [first] = theirs;
    await expect(stage.client.messages.retrieve(first?.message_handle ?? '')).rejects.toThrow(/404/);
    const limited = await clientOf(scene.limitedKey);
    const shown = await walk(limited, {});
    expect(shown).toEqual(all().filter((item) => [SECOND_LINE, SANDBOX_LINE].includes(item.sendblue_number)));
    expect((await ask({ sendblue_number: LINE }, limited)).data).toEqual([]);
    expect((await ask({ number: SECOND_LINE }, limited)).data).toEqual(
      shown.filter(({ number, sendblue_number }) => [number, sendblue_number].includes(SECOND_LINE)).slice(0, PAGE_MAX),
    );
    const hidden = all().find(({ sendblue_number }) => sendblue_number === LINE);
    await expect(limited.messages.retrieve(hidden?.message_handle ?? '')).rejects.toThrow(/404/);
  });

  it('have handles by which each item is found, in either case', async () => {
    const further = all().filter(({ message_handle }) => message_handle[14] === '8');
    expect(further.length).toBeGreaterThan(20);
    for (const [index, item] of all().entries()) {
      const handle = index % 5 === 0 ? item.message_handle.toLowerCase() : item.message_handle;
      const { data } = await stage.client.messages.retrieve(handle);
      expect(data).toEqual(item);
    }
    for (const item of [...further.slice(0, 5), ...all().slice(0, 5)]) {
      const status = item.status === 'ACCEPTED' ? 'QUEUED' : item.status;
      expect(await stage.client.messages.getStatus({ handle: item.message_handle })).toEqual({ ...item, status });
      expect(await ask({}).then(() => stage.client.get(`/api/status?message_handle=${item.message_handle}`))).toEqual({
        ...item,
        status,
      });
    }
    const [one] = further;
    const beyond = `ff${one?.message_handle.slice(2)}`;
    await expect(stage.client.messages.retrieve(beyond)).rejects.toThrow(/404/);
  });

  it("find a message by the line's GUID too, and of one with attachments the first", async () => {
    const rows = await stage.test.server.engine.query
      .selectFrom('messages')
      .innerJoin('lines', 'lines.ref', 'messages.line_ref')
      .select(['guid', 'messages.text', 'attachment_count', 'outbox_ref'])
      .where('lines.handle', 'in', [LINE, SECOND_LINE])
      .execute();
    const handles = new Set(all().map(({ message_handle }) => message_handle));
    const chosen = rows.filter((row, index) => index % 9 === 0 || row.attachment_count > 1 || row.outbox_ref !== null);
    const found = new Set<string>();
    for (const { guid, text } of chosen) {
      const { data } = await stage.client.messages.retrieve(guid);
      const handle = data?.message_handle ?? '';
      expect(handles.has(handle)).toBe(true);
      expect(handle[14]).toBe('7');
      expect(data?.content).toBe(text ?? '');
      found.add(handle);
    }
    expect(found.size).toBe(chosen.length);
  });

  it.each([
    ['created_at_gte', 'yesterday'],
    ['created_at_lte', '2025-13-01'],
    ['sent_at_gte', '1750000000000'],
    ['sent_at_lte', 'x'],
    ['updated_at_gte', '2025-01-01T25:00:00Z'],
    ['updated_at_lte', '-'],
    ['from_number', 'x'],
    ['to_number', '12'],
    ['number', 'nobody'],
    ['sendblue_number', 'my line'],
    ['is_outbound', 'yes'],
    ['message_type', 'sms'],
    ['service', 'imessage'],
    ['status', 'READ'],
    ['order_by', 'number'],
    ['order_direction', 'down'],
    ['limit', 'many'],
    ['offset', '-1'],
    ['offset', '1.5'],
  ])('refuse a %s of %s, and name it', async (name, value) => {
    const answer = await stage.call('GET', `/api/v2/messages?${new URLSearchParams({ [name]: value })}`);
    const { body } = expectStatus(400, answer);
    expect(body).toMatchObject({ status: 'ERROR', error_code: 4_000, message: expect.stringContaining(name) });
    expect(body['error_message']).toBe(body['message']);
  });

  it('pass over empty and unknown parameters, and keep the limit within its bounds', async () => {
    const empty = Object.fromEntries(
      [...Object.keys(MODEL), 'order_by', 'order_direction', 'limit', 'offset'].map((name) => [name, '']),
    );
    const first = all().slice(0, PAGE_MAX);
    expect((await ask(empty)).data).toEqual(first);
    expect((await ask({ colour: 'red', cursor: 'x', 'number[]': 'x' })).data).toEqual(first);
    for (const [limit, clamped] of [
      ['0', 1],
      ['-5', 1],
      ['1000', PAGE_MAX],
      ['2.9', 2],
    ] as const) {
      const { data, pagination } = await ask({ limit });
      expect(pagination.limit).toBe(clamped);
      expect(data).toEqual(all().slice(0, clamped));
    }
  });

  it('understand a plus that was lost on the way', async () => {
    const [peer = ''] = scene.peers;
    for (const [name, value] of [
      ['number', peer],
      ['from_number', peer],
      ['to_number', peer],
      ['sendblue_number', SECOND_LINE],
    ] as const) {
      // Not encoded, as some write it: the server reads a space.
      const { body } = expectStatus(200, await stage.call('GET', `/api/v2/messages?${name}=${value}`));
      expect(body['data'], name).toEqual(expected({ [name]: value }).data);
      expect(body['data'], name).not.toEqual([]);
    }
    const at = new Date(scene.firstAt).toISOString().replace('Z', '+00:00');
    const late = expectStatus(200, await stage.call('GET', `/api/v2/messages?created_at_lte=${at}`));
    expect(late.body['data']).toEqual(expected({ created_at_lte: at }).data);
  });
});
