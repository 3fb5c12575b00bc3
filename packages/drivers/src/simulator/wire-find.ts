/** The arbiter: what the network knows of hand-overs whose outcome was lost in a crash. */
import type { HandOver, LookUp } from '../line-driver.ts';
import { writeFeed } from './feed.ts';
import { meaningOf } from './meanings.ts';
import { numberOf, statement, textOf, type Wire } from './wire.ts';
import type { WireRow } from './wire-database.ts';

const FIND_BATCH_MAX = 200;

const VOID = statement(
  { reference: 'text', attempt: 'int' },
  `insert into hand_overs (reference, attempt, state) select i.reference, i.attempt, 'void' {from items} where true
   on conflict (reference, attempt) do nothing`,
);
const SELECT_ACTS = statement(
  { reference: 'text', attempt: 'int' },
  `select a.reference, a.kind, a.guid from acts a {, items}
   where a.reference = i.reference and a.attempt <= i.attempt`,
);
const SELECT_SENT = statement(
  { reference: 'text', attempt: 'int' },
  `select m.reference, m.guid, m.chat, m.is_group, m.attempt, m.seq from messages m {, items}
   where m.reference = i.reference and m.attempt <= i.attempt`,
);

/**
 * Answers for every reference, and voids each attempt that left nothing on the air: from then on the network refuses
 * it, so "not started" stays true however late a stalled process hands over. The line is held meanwhile, so that no
 * hand-over of it is between the look and the void.
 */
export async function findOrVoid(wire: Wire, line: string, lost: readonly HandOver[]): Promise<Map<string, LookUp>> {
  const answers = new Map<string, LookUp>();
  for (let start = 0; start < lost.length; start += FIND_BATCH_MAX) {
    const batch = lost.slice(start, start + FIND_BATCH_MAX);
    for (const [reference, answer] of await findBatch(wire, line, batch)) answers.set(reference, answer);
  }
  return answers;
}

function findBatch(wire: Wire, line: string, lost: readonly HandOver[]): Promise<Map<string, LookUp>> {
  return writeFeed(wire, [line], async (tx) => {
    const items = lost.map(({ reference, attempt }) => ({ reference, attempt }));
    const found = new Map<string, LookUp>();
    const rows = [...(await tx.each(SELECT_SENT, items))];
    rows.sort((a, b) => numberOf(a, 'seq') - numberOf(b, 'seq'));
    for (const row of rows) {
      const reference = textOf(row, 'reference');
      if (!found.has(reference)) found.set(reference, lookUpOf(row));
    }
    const unsent = items.filter((item) => !found.has(item.reference));
    for (const row of unsent.length === 0 ? [] : await tx.each(SELECT_ACTS, unsent)) {
      const answer = { reference: textOf(row, 'reference'), kind: textOf(row, 'kind'), guid: textOf(row, 'guid') };
      found.set(
        answer.reference,
        answer.kind === 'reaction' ? { state: 'found', guid: answer.guid } : { state: 'done' },
      );
    }
    const absent = unsent.filter((item) => !found.has(item.reference));
    if (absent.length > 0) await tx.each(VOID, absent);
    for (const { reference } of absent) found.set(reference, { state: 'not_started' });
    return found;
  });
}

/** The phone that never echoes keeps its secret from a look-up too. */
function lookUpOf(row: WireRow): LookUp {
  const chat = { identifier: textOf(row, 'chat'), isGroup: numberOf(row, 'is_group') === 1 };
  return meaningOf(chat) === 'never_echoes' ? { state: 'unknown' } : { state: 'found', guid: textOf(row, 'guid') };
}
