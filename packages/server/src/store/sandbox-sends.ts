/** What may be sent on the sandbox line: to the paired phone only, and so many messages a day, counted as accepted. */
import { dayOf, SANDBOX_DAILY_MAX } from '../domain/sandbox.ts';
import { type Row, statement, type Tx } from './database.ts';
import { type AccountContact, contactKey, readOptOuts } from './opt-outs.ts';

export type SandboxRefusal =
  | 'line_not_found'
  | 'sandbox_not_activated'
  | 'sandbox_contact_mismatch'
  | 'recipient_opted_out'
  | 'sandbox_quota_exceeded';

/** An item that asks to be sent on the sandbox line. */
export interface SandboxSend {
  readonly id: string;
  readonly accountRef: number;
  readonly lineRef: number;
  /** What the line calls the recipient; null where there is no such chat. */
  readonly recipient: string | null;
  readonly isCounted: boolean;
  readonly now: number;
}

/** The line first, as a removal locks it, so that what is counted here is not refused for its line later. */
const lockLine = statement(
  { line_ref: 'int' },
  'select lines.ref from lines where lines.ref = i.line_ref and lines.removed_at is null {for share of lines}',
);

const lockPairing = statement(
  { account_ref: 'int' },
  `update sandbox_pairings set account_ref = account_ref where account_ref = i.account_ref
   returning phone, day_at, sent`,
);

/** Nobody opts out, or in again, between this look and the commit. */
const holdOptOuts = statement(
  { account_ref: 'int' },
  `select accounts.ref from accounts{, items} where accounts.ref = i.account_ref order by accounts.ref
   {for share of accounts}`,
);

const countSent = statement(
  { account_ref: 'int', day_at: 'int', sent: 'int' },
  'update sandbox_pairings set day_at = i.day_at, sent = i.sent where account_ref = i.account_ref',
);

interface Book {
  readonly phone: string | null;
  dayAt: number;
  sent: number;
}

/** The refusals by the items' ids. What is not refused is counted, and will be accepted. */
export async function admitToSandbox(
  tx: Tx,
  sends: readonly SandboxSend[],
): Promise<ReadonlyMap<string, SandboxRefusal>> {
  const refusals = new Map<string, SandboxRefusal>();
  if (sends.length === 0) return refusals;
  const lines = new Set<number>();
  for (const lineRef of new Set(sends.map((send) => send.lineRef))) {
    if ((await tx.one(lockLine, { line_ref: lineRef })).length > 0) lines.add(lineRef);
  }
  const books = await openBooks(tx, sends);
  const contacts = sends.flatMap(contactOf);
  const accounts = new Set(contacts.map(({ accountRef }) => accountRef));
  await tx.each(
    holdOptOuts,
    [...accounts].map((ref) => ({ account_ref: ref })),
  );
  const optedOut = await readOptOuts(tx.each, contacts);
  const counted = new Map<number, Row>();
  for (const send of sends) {
    const book = books.get(send.accountRef);
    const refusal = lines.has(send.lineRef) ? refusalOf(send, book, optedOut) : 'line_not_found';
    if (refusal !== null) refusals.set(send.id, refusal);
    else if (book && send.isCounted) {
      book.sent++;
      counted.set(send.accountRef, { account_ref: send.accountRef, day_at: book.dayAt, sent: book.sent });
    }
  }
  for (const row of counted.values()) await tx.one(countSent, row);
  return refusals;
}

/** One after another, so that two batches lock the accounts that they share in the same order. */
async function openBooks(tx: Tx, sends: readonly SandboxSend[]): Promise<ReadonlyMap<number, Book>> {
  const books = new Map<number, Book>();
  const accounts = new Set(sends.map(({ accountRef }) => accountRef));
  for (const accountRef of [...accounts].sort((a, b) => a - b)) {
    const [row] = await tx.one(lockPairing, { account_ref: accountRef });
    if (!row) continue;
    const phone = typeof row['phone'] === 'string' ? row['phone'] : null;
    books.set(accountRef, { phone, dayAt: Number(row['day_at']), sent: Number(row['sent']) });
  }
  return books;
}

/** Those who opt out do so of messages, not of what is sent about them. */
function contactOf({ accountRef, recipient, isCounted }: SandboxSend): AccountContact[] {
  return isCounted && recipient !== null ? [{ accountRef, handle: recipient }] : [];
}

/** A clock that is behind another's counts on in the later day. */
function refusalOf(send: SandboxSend, book: Book | undefined, optedOut: ReadonlySet<string>): SandboxRefusal | null {
  const { recipient, isCounted, now } = send;
  if (!book || book.phone === null) return 'sandbox_not_activated';
  if (recipient !== book.phone) return 'sandbox_contact_mismatch';
  if (!isCounted) return null;
  if (contactOf(send).some((contact) => optedOut.has(contactKey(contact)))) return 'recipient_opted_out';
  if (book.dayAt < dayOf(now)) {
    book.dayAt = dayOf(now);
    book.sent = 0;
  }
  return book.sent >= SANDBOX_DAILY_MAX ? 'sandbox_quota_exceeded' : null;
}
