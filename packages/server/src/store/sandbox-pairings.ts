/** The pairings of accounts with phones on the sandbox line: read by whoever names the line, changed on request. */

import type { PairedPhone } from '../domain/sandbox.ts';
import { type Engine, insertInto, type Row, statement } from './database.ts';
import { numberOrNull, textOrNull } from './row-values.ts';
import type { Write } from './writer.ts';

/** An account's pairing: a phone, a code that may be texted, or neither. */
export interface Pairing {
  readonly code: string | null;
  /** Unix milliseconds. */
  readonly codeExpiresAt: number | null;
  readonly phone: string | null;
  /** Unix milliseconds. */
  readonly pairedAt: number | null;
  /** The beginning of the day that `sent` is about. */
  readonly dayAt: number;
  readonly sent: number;
}

const pairedPhone = statement(
  { account_ref: 'int', line_ref: 'int' },
  `select sandbox_pairings.phone, chats.ref as chat_ref, chats.id as chat_id from sandbox_pairings
   left join chats on chats.account_ref = sandbox_pairings.account_ref and chats.line_ref = i.line_ref
     and chats.identifier = sandbox_pairings.phone
   where sandbox_pairings.account_ref = i.account_ref and sandbox_pairings.phone is not null`,
);

const pairingOfAccount = statement(
  { account_ref: 'int' },
  `select accounts.owner_email, sandbox_pairings.* from accounts
   left join sandbox_pairings on sandbox_pairings.account_ref = accounts.ref where accounts.ref = i.account_ref`,
);

/** The phone that is paired with the account, or null. */
export async function readPairedPhone(
  engine: Engine,
  accountRef: number,
  lineRef: number,
): Promise<PairedPhone | null> {
  const [row] = await engine.read(pairedPhone, { account_ref: accountRef, line_ref: lineRef });
  if (!row) return null;
  const chat = row['chat_ref'] === null ? null : { ref: Number(row['chat_ref']), id: String(row['chat_id']) };
  return { handle: String(row['phone']), chat };
}

export async function readPairing(
  engine: Engine,
  accountRef: number,
): Promise<{ readonly hasOwner: boolean; readonly pairing: Pairing }> {
  const [row] = await engine.read(pairingOfAccount, { account_ref: accountRef });
  const hasOwner = typeof row?.['owner_email'] === 'string' && row['owner_email'] !== '';
  return { hasOwner, pairing: pairingFromRow(row ?? {}) };
}

/** Of an account that has never asked for one, everything is empty. */
function pairingFromRow(row: Row): Pairing {
  return {
    code: textOrNull(row['code']),
    codeExpiresAt: numberOrNull(row['code_expires_at']),
    phone: textOrNull(row['phone']),
    pairedAt: numberOrNull(row['paired_at']),
    dayAt: numberOrNull(row['day_at']) ?? 0,
    sent: numberOrNull(row['sent']) ?? 0,
  };
}

export interface NewCode {
  readonly accountRef: number;
  readonly code: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

export interface Activation {
  readonly accountRef: number;
  /** What the answer was made of. */
  readonly seen: Pick<Pairing, 'code' | 'phone'>;
  /** The code to begin with, or null where the pairing stays as it is. */
  readonly fresh: NewCode | null;
}

/** Locked until the commit. */
const lockPairing = insertInto(
  'sandbox_pairings',
  { account_ref: 'int' },
  'on conflict (account_ref) do update set account_ref = excluded.account_ref returning code, phone',
);

const giveCode = statement(
  { account_ref: 'int', code: 'text', code_expires_at: 'int' },
  `update sandbox_pairings set code = i.code, code_expires_at = i.code_expires_at, phone = null, paired_at = null,
     code_sent_at = null
   where account_ref = i.account_ref`,
);

/** Gives false where the pairing is not any more what the answer was made of: nothing is done then. */
export const activateSandbox: Write<Activation, boolean> = {
  name: 'activate_sandbox',
  kind: 'outcome',
  concurrency: 1,
  isRefusal: (isAsSeen) => !isAsSeen,
  async run({ tx }, items) {
    const results = new Map<Activation, boolean>();
    for (const item of inLockOrder(items)) {
      const [row] = await tx.one(lockPairing, { account_ref: item.accountRef });
      const isAsSeen = row?.['code'] === item.seen.code && row['phone'] === item.seen.phone;
      results.set(item, isAsSeen);
      if (isAsSeen && item.fresh) await tx.one(giveCode, codeRow(item.fresh));
    }
    return items.map((item) => results.get(item) === true);
  },
};

/** Takes the phone from the account, and gives it a code for the next one. */
export const deactivateSandbox: Write<NewCode, null> = {
  name: 'deactivate_sandbox',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, items) {
    for (const item of inLockOrder(items)) {
      await tx.one(lockPairing, { account_ref: item.accountRef });
      await tx.one(giveCode, codeRow(item));
    }
    return items.map(() => null);
  },
};

/** Whoever locks the pairings of several accounts does so in this order. */
function inLockOrder<Item extends { readonly accountRef: number }>(items: readonly Item[]): readonly Item[] {
  return items.toSorted((a, b) => a.accountRef - b.accountRef);
}

function codeRow({ accountRef, code, expiresAt }: NewCode): Row {
  return { account_ref: accountRef, code, code_expires_at: expiresAt };
}
