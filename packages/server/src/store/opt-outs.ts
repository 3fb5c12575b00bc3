/** Who wants no more messages of an account. What is accepted from then on is refused by the statement that accepts it. */
import type { OptOutSource } from '../domain/opt-out.ts';
import { type Engine, insertInto, type Row, statement, type Tx } from './database.ts';
import type { Write } from './writer.ts';

/** A contact, as an account knows it: the handle is normalised. */
export interface AccountContact {
  readonly accountRef: number;
  readonly handle: string;
}

export interface OptOut {
  readonly optedOutAt: number;
  readonly by: OptOutSource;
}

export interface OptOutChange extends AccountContact {
  readonly optedOut: boolean;
  readonly by: OptOutSource;
  readonly now: number;
}

const selectOptOuts = statement(
  { account_ref: 'int', handle: 'text' },
  `select opt_outs.account_ref, opt_outs.handle, opt_outs.opted_out_at, opt_outs.by from opt_outs{, items}
   where opt_outs.account_ref = i.account_ref and opt_outs.handle = i.handle`,
);

/** Changes of an account's contacts go one after another, for what is not there cannot be locked. */
const lockAccounts = statement(
  { account_ref: 'int' },
  `select accounts.ref from accounts{, items} where accounts.ref = i.account_ref order by accounts.ref
   {for update of accounts}`,
);

/** Who asks twice has asked when he did first. */
const insertOptOuts = insertInto(
  'opt_outs',
  { account_ref: 'int', handle: 'text', opted_out_at: 'int', by: 'text' },
  'on conflict (account_ref, handle) do nothing',
);

const deleteOptOuts = statement(
  { account_ref: 'int', handle: 'text' },
  'delete from opt_outs {using items} where opt_outs.account_ref = i.account_ref and opt_outs.handle = i.handle',
);

/** Gives whether the contact has opted out now. */
export const setOptOuts: Write<OptOutChange, boolean> = {
  name: 'set_opt_outs',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, changes) {
    await applyOptOuts(tx, changes);
    return changes.map(({ optedOut }) => optedOut);
  },
};

/** In their order: of several about one contact the last one counts. */
export async function applyOptOuts(tx: Tx, changes: readonly OptOutChange[]): Promise<void> {
  const last = [...new Map(changes.map((change) => [contactKey(change), change])).values()];
  const accounts = new Set(last.map(({ accountRef }) => accountRef));
  await tx.each(
    lockAccounts,
    [...accounts].map((ref) => ({ account_ref: ref })),
  );
  await tx.each(deleteOptOuts, last.filter(({ optedOut }) => !optedOut).map(contactRow));
  await tx.each(
    insertOptOuts,
    last
      .filter(({ optedOut }) => optedOut)
      .map((change) => ({ ...contactRow(change), opted_out_at: change.now, by: change.by })),
  );
}

export async function findOptOut(engine: Engine, accountRef: number, handle: string): Promise<OptOut | null> {
  const [row] = await engine.readEach(selectOptOuts, [contactRow({ accountRef, handle })]);
  // Only `applyOptOuts` writes it.
  return row ? { optedOutAt: Number(row['opted_out_at']), by: String(row['by']) as OptOutSource } : null;
}

/** Those of the contacts that have opted out, by `contactKey`. */
export async function readOptOuts(
  readEach: Engine['readEach'],
  contacts: readonly AccountContact[],
): Promise<ReadonlySet<string>> {
  const distinct = new Map(contacts.map((contact) => [contactKey(contact), contactRow(contact)]));
  const rows = await readEach(selectOptOuts, [...distinct.values()]);
  return new Set(
    rows.map((row) => contactKey({ accountRef: Number(row['account_ref']), handle: String(row['handle']) })),
  );
}

export function contactKey({ accountRef, handle }: AccountContact): string {
  return `${accountRef} ${handle}`;
}

function contactRow({ accountRef, handle }: AccountContact): Row {
  return { account_ref: accountRef, handle };
}
