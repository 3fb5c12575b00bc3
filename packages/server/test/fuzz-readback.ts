/** What was accepted must be readable as it was given: remembered by the fuzzer, and read back. */
import { expect } from 'vitest';
import { expectStatus, waitFor } from './harness.ts';
import type { RawRequest } from './matrix-ask.ts';
import type { Place, Scene } from './matrix-scene.ts';

type Body = Readonly<Record<string, unknown>>;

/** Texts sent, by the item that they became. */
export type SentTexts = Map<string, string>;

/** Reads back at once what can be, and remembers a sent text for the end. */
export async function readBack(scene: Scene, route: string, given: Body, answer: Body, sent: SentTexts): Promise<void> {
  const { own } = scene.places;
  const read = async (path: string) =>
    expectStatus(200, await scene.test.call('GET', path, undefined, { key: own.ownerKey })).body;
  const id = String(answer['id']);
  const text = given['text'];
  const named = (field: string) => (isBlank(given[field]) ? null : given[field]);
  if (route === 'POST /v1/messages') {
    const item = await read(`/v1/outbox?id=${id}`);
    expect((item['payload'] as Body)['text']).toBe(text);
    if (given['from'] === own.line.handle && given['to'] === own.chatId) sent.set(id, String(text));
  } else if (route === 'POST /api/send-message' || route === 'POST /api/send-group-message') {
    expect(answer['content']).toBe(named('content') ?? '');
    const handle = String(answer['message_handle']);
    const item = await readSendblue(scene, `/api/status?handle=${handle}`);
    expect(item['content']).toBe(answer['content']);
  } else if (route === 'POST /v1/webhooks') {
    const hooks = (await read(`/v1/webhooks?from=${encodeURIComponent(String(given['from']))}`))['data'] as Body[];
    expect(hooks.find((hook) => hook['id'] === id)?.['url']).toBe(given['url']);
  } else if (route === 'POST /simulator/v1/messages') {
    expect((await read(`/v1/messages/${String(answer['guid'])}`))['text']).toBe(named('text'));
  } else if (route === 'POST /simulator/v1/groups') {
    const messages = await scene.test.server.engine.query
      .selectFrom('chats')
      .select('name')
      .where('id', '=', String(answer['chat_id']))
      .execute();
    expect(messages.map(({ name }) => name)).toEqual([named('name')]);
  } else if (route === 'POST /simulator/v1/autoreply') {
    expect(answer['text']).toBe(named('text'));
  } else if (route === 'POST /admin/v1/keys') {
    expect((await read(`/admin/v1/keys/${id}`))['name']).toBe(given['name']);
  } else if (route === 'POST /admin/v1/devices') {
    expect((await read(`/admin/v1/devices/${id}`))['name']).toBe(given['name']);
  } else if (route.endsWith('/admin/v1/lines') || route.startsWith('PATCH /admin/v1/lines')) {
    const label = named('label');
    if (label !== null) expect((await read(`/admin/v1/lines/${id}`))['label']).toBe(label);
  }
}

/** The same by the other dialect's credentials. */
async function readSendblue({ test, places: { own } }: Scene, path: string): Promise<Body> {
  const headers = { 'sb-api-key-id': own.ownerKeyId, 'sb-api-secret-key': String(own.ownerKey) };
  return expectStatus(200, await test.call('GET', path, undefined, { key: null, headers })).body;
}

/** What was uploaded is what its link gives, with the name that the answer says. */
export async function readBackFile(scene: Scene, { payload }: RawRequest, answer: Body): Promise<void> {
  const { pathname, search } = new URL(String(answer['url']));
  const response = await scene.test.server.app.inject(`${pathname}${search}`);
  expect(response.statusCode).toBe(200);
  expect(response.rawPayload).toEqual(Buffer.from(payload ?? ''));
  expect(answer['size']).toBe(response.rawPayload.length);
  const name = /filename\*=UTF-8''(.*)$/.exec(String(response.headers['content-disposition']))?.[1] ?? '';
  expect(decodeURIComponent(name)).toBe(answer['filename'] ?? answer['id']);
}

/** Each text that was sent is, unchanged, in the chat's messages and on the phone. */
export async function readBackSent(scene: Scene, place: Place, sent: SentTexts): Promise<void> {
  const { test } = scene;
  const key = place.ownerKey;
  const open = test.server.engine.query
    .selectFrom('outbox')
    .select('ref')
    .where('line_ref', '=', place.line.ref)
    .where('state', 'not in', ['sent', 'failed']);
  await waitFor(async () => ((await open.execute()).length === 0 ? true : undefined), 'all sends to settle');
  const pages = async (path: string) => {
    const rows: Body[] = [];
    for (let cursor: unknown = ''; cursor !== null; ) {
      const answer = expectStatus(200, await test.call('GET', `${path}${String(cursor)}`, undefined, { key })).body;
      rows.push(...(answer['data'] as Body[]));
      cursor = answer['next_cursor'] === null ? null : `&cursor=${encodeURIComponent(String(answer['next_cursor']))}`;
    }
    return rows;
  };
  const from = encodeURIComponent(place.line.handle);
  const messages = await pages(`/v1/messages?from=${from}&to=${place.chatId}&limit=100`);
  const texts = new Map(messages.map((message) => [message['outbox_id'], message['text']]));
  const phone = await pages(`/simulator/v1/phones/${encodeURIComponent(place.peer)}/messages?line=${from}&limit=1000`);
  const shown = new Set(phone.map((message) => message['text']));
  for (const [id, text] of sent) {
    expect(texts.get(id)).toBe(text);
    expect(shown.has(text)).toBe(true);
  }
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}
