/**
 * What becomes of an account's items, told to its webhooks and to the callbacks that sends named. It is in the log only
 * where somebody listens: rendered in the commit that made it, and posted as it was rendered.
 */
import type { ItemEventType } from '../domain/events.ts';
import { originOf, webhookLane } from '../domain/webhook.ts';
import { insertMissingCallbacks } from './callbacks.ts';
import { type Row, statement, type Tx } from './database.ts';
import { type Addressee, logEntry } from './events.ts';
import type { Batch } from './writer.ts';

export interface ItemNews {
  readonly accountRef: number;
  readonly lineRef: number;
  /** What webhooks that an account limited to some of its lines go by. */
  readonly lineHandle: string;
  readonly chatRef: number | null;
  readonly messageRef: number | null;
  /** The outbox item whose changes are told in their order, also before it has a chat; null: the chat's order is kept. */
  readonly outboxRef: number | null;
  /** An inbound item, or a change of an own item's status. */
  readonly kind: 'received' | 'status';
  /** Where the send of this one item wanted it to be told. */
  readonly callbackUrl: string | null;
  /** The body as JSON; called only where somebody listens. */
  readonly render: () => string;
  readonly now: number;
}

const TYPES: Readonly<Record<ItemNews['kind'], ItemEventType>> = { received: 'item.received', status: 'item.status' };

/** Locked until the commit, as the webhooks of lines are: one that ends meanwhile drops what is appended. */
const listenersOfAccount = statement(
  { account_ref: 'int' },
  `select webhooks.ref, webhooks.account_ref, webhooks.events, webhooks.numbers from webhooks{, items}
   where webhooks.account_ref = i.account_ref and webhooks.kind = 'account' and webhooks.is_active = 1
   order by webhooks.ref {for share of webhooks}`,
);
/** Those that are off are found too, so that they are told from those that are not there. */
const callbacksOfAccount = statement(
  { account_ref: 'int', url: 'text' },
  `select webhooks.ref, webhooks.account_ref, webhooks.url, webhooks.is_active from webhooks{, items}
   where webhooks.account_ref = i.account_ref and webhooks.kind = 'callback' and webhooks.url = i.url
   order by webhooks.ref {for share of webhooks}`,
);

interface Listener {
  readonly ref: number;
  readonly accountRef: number;
  readonly events: readonly string[];
  /** Null for all lines. */
  readonly numbers: readonly string[] | null;
}

/** Appends the news that somebody listens for, in order, each with its deliveries. */
export async function appendItemEvents(batch: Batch, news: readonly ItemNews[]): Promise<void> {
  if (news.length === 0) return;
  const listeners = await readListeners(batch.tx, new Set(news.map((one) => one.accountRef)));
  const callbacks = await findCallbacks(batch, news);
  for (const one of news) {
    const addressees = [
      ...listeners.filter((listener) => listensTo(listener, one)).map(({ ref }) => ({ ref, url: null })),
      ...callbackOf(callbacks, one),
    ];
    if (addressees.length === 0) continue;
    const event = { ...one, type: TYPES[one.kind], data: one.render() };
    // Apart from all chats' refs.
    const orderRef = one.outboxRef === null ? one.chatRef : -one.outboxRef;
    batch.emit(logEntry(batch, event, addressees, orderRef));
    for (const { ref } of addressees) batch.wake(webhookLane(ref));
  }
}

async function readListeners(tx: Tx, accountRefs: ReadonlySet<number>): Promise<readonly Listener[]> {
  const rows = await tx.each(
    listenersOfAccount,
    [...accountRefs].map((accountRef) => ({ account_ref: accountRef })),
  );
  return rows.map((row) => ({
    ref: Number(row['ref']),
    accountRef: Number(row['account_ref']),
    events: JSON.parse(String(row['events'])) as string[],
    numbers: row['numbers'] === null ? null : (JSON.parse(String(row['numbers'])) as string[]),
  }));
}

function listensTo({ accountRef, events, numbers }: Listener, one: ItemNews): boolean {
  if (accountRef !== one.accountRef || !events.includes(TYPES[one.kind])) return false;
  return numbers === null || numbers.length === 0 || numbers.includes(one.lineHandle);
}

/** The origins' webhooks. One that was idle for so long that it was removed is made again. */
async function findCallbacks(batch: Batch, news: readonly ItemNews[]): Promise<ReadonlyMap<string, Row>> {
  const wanted = new Map<string, { account_ref: number; url: string; now: number }>();
  for (const { accountRef, callbackUrl, now } of news) {
    const url = callbackUrl === null ? null : originOf(callbackUrl);
    if (url !== null) wanted.set(keyOf(accountRef, url), { account_ref: accountRef, url, now });
  }
  const found = new Map<string, Row>();
  const find = async () => {
    const missing = [...wanted].filter(([key]) => !found.has(key)).map(([, one]) => one);
    for (const row of await batch.tx.each(callbacksOfAccount, missing)) {
      found.set(keyOf(Number(row['account_ref']), String(row['url'])), row);
    }
    return missing.filter((one) => !found.has(keyOf(one.account_ref, one.url)));
  };
  const missing = await find();
  if (missing.length > 0) {
    await insertMissingCallbacks(batch, missing);
    await find();
  }
  return found;
}

function callbackOf(callbacks: ReadonlyMap<string, Row>, { accountRef, callbackUrl }: ItemNews): Addressee[] {
  const origin = callbackUrl === null ? null : originOf(callbackUrl);
  const row = origin === null ? undefined : callbacks.get(keyOf(accountRef, origin));
  return row?.['is_active'] === 1 ? [{ ref: Number(row['ref']), url: callbackUrl }] : [];
}

function keyOf(accountRef: number, origin: string): string {
  return `${accountRef} ${origin}`;
}
