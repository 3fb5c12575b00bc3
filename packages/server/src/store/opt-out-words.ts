/**
 * What a phone says of being written to, by one word and nothing else, on a line whose setting listens for it. It is
 * taken together with the message, when that is new: what a line says again changes nothing.
 */
import { optOutIn } from '../domain/opt-out.ts';
import { statement, type Tx } from './database.ts';
import { applyOptOuts, type OptOutChange } from './opt-outs.ts';
import { type Born, textOf } from './report.ts';

const linesThatListen = statement(
  { line_ref: 'int' },
  `select lines.ref from lines{, items} where lines.ref = i.line_ref and lines.opt_out_keywords = 1
   {for share of lines}`,
);

interface Wish {
  readonly lineRef: number;
  readonly change: OptOutChange;
}

/** In the order in which the messages were reported. */
export async function recordOptOutWords(tx: Tx, born: readonly Born[]): Promise<void> {
  const wishes = born.flatMap(wishOf);
  if (wishes.length === 0) return;
  const refs = [...new Set(wishes.map(({ lineRef }) => lineRef))];
  const rows = await tx.each(
    linesThatListen,
    refs.map((ref) => ({ line_ref: ref })),
  );
  const listening = new Set(rows.map((row) => Number(row['ref'])));
  await applyOptOuts(
    tx,
    wishes.filter(({ lineRef }) => listening.has(lineRef)).map(({ change }) => change),
  );
}

/** The chat's identifier is the handle that an answer would go to. */
function wishOf({ seen }: Born): Wish[] {
  const { event, report, accountRef } = seen;
  if (event.isFromMe || event.isOld || event.chat.isGroup || event.attachments.length > 0) return [];
  const optedOut = optOutIn(textOf(event) ?? '');
  if (optedOut === null) return [];
  const change = { accountRef, handle: event.chat.identifier, optedOut, by: 'phone', now: report.now } as const;
  return [{ lineRef: report.line.ref, change }];
}
