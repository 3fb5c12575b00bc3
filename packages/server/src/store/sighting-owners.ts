/**
 * Whose a sighting is. An ordinary line's are its account's. On the sandbox line a message is the account's whose phone
 * wrote it, or whose item it echoes, at the moment of the report and for good; what is nobody's is stored nowhere. What
 * is said of a message later is its account's, which the message itself knows.
 */
import type { LineEvent, MessageSeen } from '@trunkline/drivers';
import { codeIn } from '../domain/sandbox.ts';
import { type Row, statement, type Tx } from './database.ts';
import { guidKey, type Report, type Seen } from './report.ts';
import { openPairingBook, type PairingBook, type TextedCode } from './sandbox-codes.ts';

const messageOwners = statement(
  { line_ref: 'int', guid: 'text' },
  `select messages.line_ref, messages.guid, messages.account_ref from messages{, items}
   where messages.line_ref = i.line_ref and messages.guid = i.guid`,
);

const itemOwners = statement(
  { line_ref: 'int', id: 'text' },
  'select outbox.id, outbox.account_ref from outbox{, items} where outbox.id = i.id and outbox.line_ref = i.line_ref',
);

const handedOverOwners = statement(
  { line_ref: 'int', guid: 'text' },
  `select outbox.line_ref, outbox.guid, outbox.account_ref from outbox{, items}
   where outbox.line_ref = i.line_ref and outbox.guid = i.guid and outbox.state <> 'sent'`,
);

/** In the order of the reports; without what is nobody's. */
export async function ownSightings(tx: Tx, reports: readonly Report[]): Promise<readonly Seen[]> {
  const shared = reports.filter(({ line }) => line.isSandbox);
  const owners = shared.length === 0 ? null : await openOwners(tx, shared);
  const all = reports.flatMap((report) =>
    report.events.flatMap((event): Seen[] => {
      const accountRef = report.line.isSandbox ? (owners?.of(report, event) ?? null) : report.line.accountRef;
      return accountRef === null ? [] : [{ report, event, accountRef }];
    }),
  );
  await owners?.close();
  return all;
}

interface Owners {
  of(report: Report, event: LineEvent): number | null;
  close(): Promise<void>;
}

async function openOwners(tx: Tx, reports: readonly Report[]): Promise<Owners> {
  const messages = reports.flatMap((report) =>
    report.events.flatMap((event) => (event.kind === 'message' ? [{ report, event }] : [])),
  );
  const known = await readKnownOwners(tx, messages);
  const ofItems = await readItemOwners(tx, messages);
  const book = await openBook(tx, reports, known);
  const ownerOf = (report: Report, event: MessageSeen): number | null => {
    const key = guidKey(report, event.guid);
    const stored = known.get(key) ?? ofItems.get(event.reference ?? key);
    if (stored !== undefined) return stored;
    const code = codeOf(event);
    if (code) book.redeem(code, report.now);
    // A line may say again what it said before the phone was paired.
    return book.accountOf(event.chat.identifier, event.isFromMe ? undefined : event.sentAt);
  };
  return {
    of(report, event) {
      // The message that it is about, or the item, knows whose it is.
      if (!('chat' in event)) return report.line.accountRef;
      // A group would show to one account what another's phone says.
      if (event.chat.isGroup) return null;
      if (event.kind !== 'message') return book.accountOf(event.chat.identifier);
      const owner = ownerOf(report, event);
      if (owner !== null) known.set(guidKey(report, event.guid), owner);
      return owner;
    },
    close: () => book.close(),
  };
}

interface SeenMessage {
  readonly report: Report;
  readonly event: MessageSeen;
}

/** By `guidKey`: what was seen before is whose it was. */
async function readKnownOwners(tx: Tx, messages: readonly SeenMessage[]): Promise<Map<string, number>> {
  const rows = await tx.each(messageOwners, messages.map(guidRow));
  return new Map(rows.map((row) => [`${Number(row['line_ref'])} ${String(row['guid'])}`, Number(row['account_ref'])]));
}

/** By the reference that the driver names, else by `guidKey`. */
async function readItemOwners(tx: Tx, messages: readonly SeenMessage[]): Promise<ReadonlyMap<string, number>> {
  const own = messages.filter(({ event }) => event.isFromMe);
  const named = own.flatMap(({ report, event }) =>
    event.reference === null ? [] : [{ line_ref: report.line.ref, id: event.reference }],
  );
  const owners = new Map<string, number>();
  for (const row of await tx.each(itemOwners, named)) owners.set(String(row['id']), Number(row['account_ref']));
  const unnamed = own.filter(({ event }) => event.reference === null).map(guidRow);
  for (const row of await tx.each(handedOverOwners, unnamed)) {
    owners.set(`${Number(row['line_ref'])} ${String(row['guid'])}`, Number(row['account_ref']));
  }
  return owners;
}

function openBook(tx: Tx, reports: readonly Report[], known: ReadonlyMap<string, number>): Promise<PairingBook> {
  const phones = new Set<string>();
  const codes: TextedCode[] = [];
  for (const report of reports) {
    for (const event of report.events) {
      if (!('chat' in event) || event.chat.isGroup) continue;
      phones.add(event.chat.identifier);
      const code = event.kind === 'message' && !known.has(guidKey(report, event.guid)) ? codeOf(event) : null;
      if (code) codes.push(code);
    }
  }
  return openPairingBook(tx, [...phones], codes);
}

function codeOf(event: MessageSeen): TextedCode | null {
  const code = event.isFromMe || event.isAudioMessage ? null : codeIn(event.text);
  return code === null ? null : { phone: event.chat.identifier, code, sentAt: event.sentAt };
}

function guidRow({ report, event }: SeenMessage): Row {
  return { line_ref: report.line.ref, guid: event.guid };
}
