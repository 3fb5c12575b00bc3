/** 54 and 59: cursors that were bent or come from elsewhere, and the numbers of a page. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvents } from './event-reader.ts';
import { type Answer, ENGINES, expectStatus, waitFor } from './harness.ts';
import { createScene, HOOK, type Place, QUIET_EVENTS, type Scene } from './matrix-scene.ts';
import { expected, refusal } from './tenancy.ts';

const TEXTS = 6;
const REFUSED = expected('invalid_parameter_value', 'cursor');

interface List {
  readonly name: string;
  path(place: Place): string;
}

/** Every list that pages, as the first page of two. */
const LISTS: readonly List[] = [
  { name: 'chats', path: ({ line }) => `/v1/chats?from=${line.id}&limit=1` },
  { name: 'messages', path: ({ line, chatId }) => `/v1/messages?from=${line.id}&to=${chatId}&limit=2` },
  { name: 'keys', path: () => '/admin/v1/keys?limit=1' },
  { name: 'devices', path: () => '/admin/v1/devices?limit=1' },
  { name: 'webhooks', path: ({ line }) => `/admin/v1/webhooks?line=${line.id}&limit=1` },
  { name: 'deliveries', path: ({ webhookId }) => `/admin/v1/deliveries?webhook=${webhookId}&limit=1` },
  { name: 'attempts', path: ({ deliveryId }) => `/admin/v1/deliveries/${deliveryId}/attempts?limit=1` },
  {
    name: "a phone's messages",
    path: ({ line, peer }) => `/simulator/v1/phones/${encodeURIComponent(peer)}/messages?line=${line.id}&limit=2`,
  },
];

/** They are the account's: its lines share them. */
const ACCOUNTS_LISTS: readonly string[] = ['keys', 'devices'];

describe.each(ENGINES)('lists and their cursors on %s', (engine) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await createScene(engine);
    const { own, other, foreign } = scene.places;
    for (const place of [own, other, foreign]) {
      await fill(scene, place);
      const webhook = { from: place.line.handle, url: HOOK, events: QUIET_EVENTS };
      expectStatus(201, await scene.test.call('POST', '/v1/webhooks', webhook, { key: place.ownerKey }));
    }
  });
  afterAll(() => scene.test.stop());

  const get = (place: Place, path: string) => scene.test.call('GET', path, undefined, { key: place.ownerKey });
  const withCursor = (place: Place, list: List, cursor: string) =>
    get(place, `${list.path(place)}&cursor=${encodeURIComponent(cursor)}`);
  async function cursorOf(place: Place, list: List): Promise<string> {
    const { body } = expectStatus(200, await get(place, list.path(place)));
    expect(body['has_more']).toBe(true);
    return String(body['next_cursor']);
  }

  it.each(LISTS)('54: a cursor of $name with any bit of it flipped is refused or means what it meant', async (list) => {
    const { own } = scene.places;
    const cursor = await cursorOf(own, list);
    const meant = rowsOf(expectStatus(200, await withCursor(own, list, cursor)));
    let refused = 0;
    for (const bent of bitFlips(cursor)) {
      const answer = await withCursor(own, list, bent);
      if (answer.status === 200) expect(rowsOf(answer), bent).toEqual(meant);
      else {
        expect(refusal(answer), bent).toEqual(REFUSED);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(cursor.length);
  });

  it.each(LISTS)(
    "54: a cursor of $name is refused by every other list, and by another line's and account's",
    async (list) => {
      const { own, other, foreign } = scene.places;
      const cursor = await cursorOf(own, list);
      for (const another of LISTS.filter((one) => one !== list)) {
        expect(refusal(await withCursor(own, another, cursor)), another.name).toEqual(REFUSED);
      }
      for (const place of [other, foreign]) {
        const answer = await withCursor(place, list, cursor);
        if (ACCOUNTS_LISTS.includes(list.name) && place === other) expectStatus(200, answer);
        else expect(refusal(answer), place.owner).toEqual(REFUSED);
      }
    },
  );

  it.each(LISTS)('54: $name take no made-up cursor', async (list) => {
    const made = ['x', 'e30', '0', '-1', 'MC4wLng', 'null', '[]', '\0', '😀', 'A'.repeat(500), '../..', '%00'];
    for (const cursor of made) {
      expect(refusal(await withCursor(scene.places.own, list, cursor)), cursor).toEqual(REFUSED);
    }
    const twice = `${list.path(scene.places.own)}&cursor=a&cursor=b`;
    expect(refusal(await get(scene.places.own, twice))).toEqual(REFUSED);
  });

  it('54: the event stream takes no cursor of a list, and no list takes one of its', async () => {
    const { own } = scene.places;
    const reader = await readEvents(scene.address, { key: String(own.ownerKey) });
    await fill(scene, own);
    const cursor = await waitFor(() => reader.events()[0]?.id, 'an event');
    reader.cut();
    for (const list of LISTS) {
      expect(refusal(await withCursor(own, list, cursor)), list.name).toEqual(REFUSED);
      const after = encodeURIComponent(await cursorOf(own, list));
      const answer = await get(own, `/v1/events?after=${after}`);
      expect(refusal(answer), list.name).toEqual(expected('invalid_parameter_value', 'after'));
    }
  });

  it.each(LISTS)('59: the limit of $name is clamped, and what is no number is refused', async (list) => {
    const { own } = scene.places;
    const withLimit = (query: string) => get(own, list.path(own).replace(/limit=\d/, query));
    for (const [limit, rows] of [
      ['-1', 1],
      ['0', 1],
      ['-9223372036854775809', 1],
      ['1.9', 1],
      ['2', 2],
    ] as const) {
      const answer = expectStatus(200, await withLimit(`limit=${limit}`));
      expect(answer.body['data'], limit).toHaveLength(rows);
    }
    for (const limit of ['101', '1000000000', '9'.repeat(400)]) {
      expect(expectStatus(200, await withLimit(`limit=${limit}`)).body['has_more'], limit).toBe(false);
    }
    const wrong = ['NaN', 'Infinity', '1e9', '0x10', 'ten', '1,2', '٣', '--1', '1 ', 'null', '%00', '\u0661'];
    const refused = expected('invalid_parameter_value', 'limit');
    for (const limit of wrong) {
      expect(refusal(await withLimit(`limit=${encodeURIComponent(limit)}`)), limit).toEqual(refused);
    }
    expect(refusal(await withLimit('limit=1&limit=2'))).toEqual(refused);
  });
});

/** Enough for more than one page of each list. */
async function fill({ test }: Scene, place: Place): Promise<void> {
  for (let index = 0; index < TEXTS; index++) {
    const body = { from: place.peer, to: place.line.handle, text: `Text ${index}` };
    expectStatus(201, await test.call('POST', '/simulator/v1/messages', body, { key: place.ownerKey }));
  }
}

/** The cursor's characters with each of their bits flipped, and its bytes with each of theirs. */
function bitFlips(cursor: string): string[] {
  const text = Buffer.from(cursor, 'latin1');
  const bytes = Buffer.from(cursor, 'base64url');
  return [
    ...flipped(text, 7).map((bent) => bent.toString('latin1')),
    ...flipped(bytes, 8).map((bent) => bent.toString('base64url')),
  ];
}

function flipped(bytes: Buffer, bits: number): Buffer[] {
  return [...bytes].flatMap((_, at) =>
    Array.from({ length: bits }, (_unused, bit) => {
      const bent = Buffer.from(bytes);
      bent[at] = (bent[at] ?? 0) ^ (1 << bit);
      return bent;
    }),
  );
}

function rowsOf(answer: Answer): unknown {
  return answer.body['data'];
}
