/** A server whose account has webhooks and sends with callbacks, and news of items for both. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { Clock } from '../src/clock.ts';
import { createIds } from '../src/domain/ids.ts';
import { createSecretBox } from '../src/domain/secret-box.ts';
import type { ListResult } from '../src/store/account-webhooks.ts';
import { appendItemEvents, type ItemNews } from '../src/store/item-events.ts';
import type { Write } from '../src/store/writer.ts';
import {
  type AccountWebhookEntry,
  appendEntries,
  readEntries,
  removeEntries,
  replaceEntries,
} from '../src/webhooks/account-webhooks.ts';
import { ensureCallback } from '../src/webhooks/callbacks.ts';
import type { FakeClock } from './fake-clock.ts';
import { LINE, SECRET_KEY, type TestServer, waitFor } from './harness.ts';
import { answers, type Behaviour, type Received, type Receiver, startReceiver } from './receiver.ts';
import { refOf } from './tenancy.ts';

const appendNews: Write<ItemNews, null> = {
  name: 'append_news',
  kind: 'outcome',
  concurrency: 1,
  async run(batch, items) {
    await appendItemEvents(batch, items);
    return items.map(() => null);
  },
};

export interface ItemScene {
  readonly accountRef: number;
  readonly lineRef: number;
  /** Commits the news, as whoever changes items does. `body` becomes the text of the item. */
  tell(body: string, more?: Partial<ItemNews>): Promise<void>;
  replace(entries: readonly Partial<AccountWebhookEntry>[], globalSecret?: string | null): Promise<ListResult>;
  append(entries: readonly Partial<AccountWebhookEntry>[], globalSecret?: string | null): Promise<ListResult>;
  remove(urls: readonly string[], type?: 'receive' | 'outbound'): Promise<number>;
  read(): ReturnType<typeof readEntries>;
  /** As a send that names it does. */
  ensure(url: string): Promise<void>;
  /** Waits, with time moving on where it is fake, until the check gives something. */
  until<T>(check: () => Promise<T | undefined> | T | undefined, what: string): Promise<T>;
  /** The states of all deliveries of items, in order. */
  states(): Promise<readonly string[]>;
  webhooks(): Promise<readonly { id: string; kind: string; url: string; is_active: number; created_at: number }[]>;
}

export async function openItemScene(test: TestServer, clock: Clock | FakeClock): Promise<ItemScene> {
  const { engine, writer } = test.server;
  const { accountRef, ref: lineRef } = await refOf(test, LINE);
  const { id: accountId } = await engine.query
    .selectFrom('accounts')
    .select('id')
    .where('ref', '=', accountRef)
    .executeTakeFirstOrThrow();
  const ids = createIds(() => clock.now(), randomBytes);
  const secrets = createSecretBox(Buffer.from(SECRET_KEY, 'base64'), randomBytes);
  const deps = { engine, writer, clock, ids, secrets };
  const owner = { accountRef, accountId };
  const settings = (entries: readonly Partial<AccountWebhookEntry>[], globalSecret: string | null | undefined) => ({
    entries: entries.map((entry) => ({ type: 'receive' as const, url: '', ...PLAIN, ...entry })),
    globalSecret,
  });
  return {
    accountRef,
    lineRef,
    async tell(body, more = {}) {
      const nothing = { chatRef: null, messageRef: null, outboxRef: null, callbackUrl: null };
      const common = { accountRef, lineRef, lineHandle: LINE, ...nothing };
      const news = { ...common, kind: 'status' as const, render: () => bodyOf(body), now: clock.now(), ...more };
      await writer.write(appendNews, news);
    },
    replace: (entries, globalSecret) => replaceEntries(deps, owner, settings(entries, globalSecret)),
    append: (entries, globalSecret) => appendEntries(deps, owner, settings(entries, globalSecret)),
    remove: (urls, type) => removeEntries(deps, owner, urls, type ?? null),
    read: () => readEntries(deps, owner),
    ensure: (url) => ensureCallback(deps, accountRef, url),
    until: (check, what) =>
      waitFor(async () => {
        if ('advance' in clock) await clock.advance(20);
        return check();
      }, what),
    async states() {
      const rows = await engine.query
        .selectFrom('deliveries')
        .innerJoin('webhooks', 'webhooks.ref', 'deliveries.webhook_ref')
        .select('deliveries.state')
        .where('webhooks.kind', '<>', 'v1')
        .orderBy('deliveries.event_seq')
        .execute();
      return rows.map((row) => row.state);
    },
    webhooks: () =>
      engine.query
        .selectFrom('webhooks')
        .select(['id', 'kind', 'url', 'is_active', 'created_at'])
        .where('deleted_at', 'is', null)
        .orderBy('ref')
        .execute(),
  };
}

const PLAIN = { secret: null, numbers: null, isBare: false };

/** The item with that text. What it is made of is its dialect's affair: here it has to arrive byte by byte. */
export function bodyOf(text: string): string {
  return `{ "status": "SENT",  "content": ${JSON.stringify(text)} }`;
}

/** One that is told of items: bare, and not in the envelope of other events. */
export function startItemReceiver(behaviour: Behaviour = answers(200)): Promise<Receiver> {
  return startReceiver(behaviour, (body) => expect(body).toMatchObject({ status: 'SENT' }));
}

export function textOf(one: Received): string {
  const { content } = JSON.parse(one.body) as { content: string };
  return content;
}
