/**
 * Webhooks of a whole account: lists that a client replaces, adds to and takes from, given back as they were given. What is
 * in the list before and after keeps its deliveries.
 */
import type { ItemEventType } from '../domain/events.ts';
import { NO_LINE, SWITCHED_OFF } from '../domain/webhook.ts';
import { type Column, type Engine, insertInto, type Row, statement, type Tx } from './database.ts';
import { textOrNull } from './row-values.ts';
import { endWebhook, WEBHOOKS_TOPIC } from './webhooks.ts';
import type { Batch, Write } from './writer.ts';

export const ACCOUNT_WEBHOOKS_MAX = 100;

/** Inbound items, or changes of own ones. */
export type AccountWebhookType = 'receive' | 'outbound';

const EVENTS: Readonly<Record<AccountWebhookType, ItemEventType>> = {
  receive: 'item.received',
  outbound: 'item.status',
};

export interface AccountWebhook {
  readonly type: AccountWebhookType;
  readonly url: string;
  /** Encrypted, with the account's id as its owner; null for none of its own. */
  readonly sealedSecret: string | null;
  /** The handles of the lines that it is limited to; null for all. */
  readonly numbers: readonly string[] | null;
  /** Whether it was given as a URL alone. */
  readonly isBare: boolean;
}

export interface NewAccountWebhook extends AccountWebhook {
  /** Of the webhook, where there is none like it yet. */
  readonly id: string;
}

export interface AccountWebhookList {
  readonly accountRef: number;
  readonly webhooks: readonly NewAccountWebhook[];
  /** For webhooks without a secret, encrypted alike; null takes it away, undefined leaves it as it is. */
  readonly sealedAccountSecret: string | null | undefined;
  readonly now: number;
}

export type ListResult = 'done' | 'too_many';

/** Afterwards these are the account's webhooks, and no others. */
export const replaceAccountWebhooks: Write<AccountWebhookList, ListResult> = {
  name: 'replace_account_webhooks',
  kind: 'outcome',
  concurrency: 1,
  isRefusal: (result) => result !== 'done',
  run: (batch, items) => inTurn(items, (item) => setList(batch, item, () => [])),
};

/** Puts these behind those that are there; one that is there already takes on the new secret. */
export const appendAccountWebhooks: Write<AccountWebhookList, ListResult> = {
  name: 'append_account_webhooks',
  kind: 'outcome',
  concurrency: 1,
  isRefusal: (result) => result !== 'done',
  run: (batch, items) => inTurn(items, (item) => setList(batch, item, (present) => present)),
};

export interface AccountWebhookRemoval {
  readonly accountRef: number;
  readonly urls: readonly string[];
  /** Null for both. */
  readonly type: AccountWebhookType | null;
  readonly now: number;
}

/** Gives how many went. What was due to them is dropped. */
export const removeAccountWebhooks: Write<AccountWebhookRemoval, number> = {
  name: 'remove_account_webhooks',
  kind: 'outcome',
  concurrency: 1,
  run: (batch, items) =>
    inTurn(items, async ({ accountRef, urls, type, now }) => {
      await batch.tx.one(lockAccount, { account_ref: accountRef });
      const present = await batch.tx.one(ofAccount, { account_ref: accountRef });
      const gone = present
        .map(presentFromRow)
        .filter((one) => urls.includes(one.url) && (type === null || type === one.type));
      await endAll(batch, gone, { accountRef, now });
      batch.wake(WEBHOOKS_TOPIC);
      return gone.length;
    }),
};

/** Changes of one account's list go one after another. */
const lockAccount = statement(
  { account_ref: 'int' },
  'update accounts set webhook_secret = webhook_secret where ref = i.account_ref',
);
const setAccountSecret = statement(
  { account_ref: 'int', secret: 'text' },
  'update accounts set webhook_secret = i.secret where ref = i.account_ref',
);
const ofAccount = statement(
  { account_ref: 'int' },
  `select ref, id, url, events, secret, numbers, place, is_bare from webhooks
   where account_ref = i.account_ref and kind = 'account' and deleted_at is null order by place, ref`,
);

const insert = insertInto('webhooks', {
  id: 'text',
  account_ref: 'int',
  line_ref: 'int',
  url: 'text',
  events: 'text',
  secret: 'text',
  is_active: 'int',
  created_at: 'int',
  kind: 'text',
  numbers: 'text',
  place: 'int',
  is_bare: 'int',
} satisfies Record<string, Column>);

/** Whoever gives one again means it to be told, also where it had failed for too long. What an operator switched off stays off. */
const change = statement(
  { ref: 'int', secret: 'text', place: 'int', is_bare: 'int' },
  `update webhooks set secret = i.secret, place = i.place, is_bare = i.is_bare,
     is_active = case when disabled_reason = '${SWITCHED_OFF}' then is_active else 1 end,
     failing_since = case when is_active = 0 then null else failing_since end,
     disabled_reason = case when disabled_reason = '${SWITCHED_OFF}' then disabled_reason end
   where ref = i.ref`,
);

const move = statement({ ref: 'int', place: 'int' }, 'update webhooks set place = i.place where ref = i.ref');

interface Present extends AccountWebhook {
  readonly ref: number;
  readonly place: number;
  readonly id: string;
}

type Listed = Present | NewAccountWebhook;

/** Keeps what `kept` says of the present list, in front. */
async function setList(
  batch: Batch,
  { accountRef, webhooks, sealedAccountSecret, now }: AccountWebhookList,
  kept: (present: readonly Present[]) => readonly Present[],
): Promise<ListResult> {
  const { tx, wake } = batch;
  await tx.one(lockAccount, { account_ref: accountRef });
  const present = (await tx.one(ofAccount, { account_ref: accountRef })).map(presentFromRow);
  const list = new Map<string, Listed>(kept(present).map((one) => [identityOf(one), one]));
  for (const one of webhooks) list.set(identityOf(one), one);
  if (list.size > ACCOUNT_WEBHOOKS_MAX) return 'too_many';
  const gone = present.filter((one) => !list.has(identityOf(one)));
  await endAll(batch, gone, { accountRef, now });
  await writeList(tx, { accountRef, list: [...list.values()], present, now });
  if (sealedAccountSecret !== undefined) {
    await tx.one(setAccountSecret, { account_ref: accountRef, secret: sealedAccountSecret });
  }
  wake(WEBHOOKS_TOPIC);
  return 'done';
}

/** In the order in which others lock them. */
async function endAll(
  batch: Batch,
  gone: readonly Present[],
  whose: { readonly accountRef: number; readonly now: number },
): Promise<void> {
  for (const { id } of gone.toSorted((a, b) => a.ref - b.ref)) await endWebhook(batch, { id, ...whose });
}

interface Listing {
  readonly accountRef: number;
  readonly list: readonly Listed[];
  readonly present: readonly Present[];
  readonly now: number;
}

async function writeList(tx: Tx, { accountRef, list, present, now }: Listing): Promise<void> {
  const refs = new Map(present.map((one) => [identityOf(one), one.ref]));
  for (const [place, one] of list.entries()) {
    const ref = refs.get(identityOf(one));
    const row = { secret: one.sealedSecret ?? '', place, is_bare: Number(one.isBare) };
    if (ref === undefined) await tx.each(insert, [{ ...row, ...newRow(one, accountRef, now) }]);
    else if (!('ref' in one)) await tx.one(change, { ref, ...row });
    // What was not given again is moved at most.
    else if (one.place !== place) await tx.one(move, { ref, place });
  }
}

function newRow({ id, type, url, numbers }: Listed, accountRef: number, now: number): Row {
  return {
    id,
    account_ref: accountRef,
    line_ref: NO_LINE,
    url,
    events: JSON.stringify([EVENTS[type]]),
    is_active: 1,
    created_at: now,
    kind: 'account',
    numbers: numbers === null ? null : JSON.stringify(numbers),
  };
}

/** What makes two entries the same webhook. */
function identityOf({ type, url, numbers }: AccountWebhook): string {
  return JSON.stringify([type, url, numbers]);
}

function presentFromRow(row: Row): Present {
  const numbers = textOrNull(row['numbers']);
  const secret = String(row['secret']);
  return {
    ref: Number(row['ref']),
    place: Number(row['place']),
    id: String(row['id']),
    type: String(row['events']).includes(EVENTS.receive) ? 'receive' : 'outbound',
    url: String(row['url']),
    sealedSecret: secret === '' ? null : secret,
    numbers: numbers === null ? null : (JSON.parse(numbers) as string[]),
    isBare: row['is_bare'] === 1,
  };
}

const accountSecret = statement(
  { account_ref: 'int' },
  'select webhook_secret from accounts where ref = i.account_ref',
);

export interface AccountWebhooks {
  /** In the order in which they were given, those that are off among them. */
  readonly webhooks: readonly AccountWebhook[];
  readonly sealedAccountSecret: string | null;
}

export async function readAccountWebhooks(engine: Engine, accountRef: number): Promise<AccountWebhooks> {
  const rows = await engine.read(ofAccount, { account_ref: accountRef });
  const [account] = await engine.read(accountSecret, { account_ref: accountRef });
  return { webhooks: rows.map(presentFromRow), sealedAccountSecret: textOrNull(account?.['webhook_secret']) };
}

/** One item after another, each on what the one before has left. */
async function inTurn<Item, Result>(
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await run(item));
  return results;
}
