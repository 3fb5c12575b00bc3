/** Phones that answer by themselves each message that a line sends them. */
import type { Future } from './futures.ts';
import { numberOf, statement, textOf, textOrNull, type Wire } from './wire.ts';
import type { WireTransaction } from './wire-database.ts';

/** With `echo` a phone repeats what it was sent; otherwise it answers `text`. */
export interface Autoreply {
  readonly text?: string | null;
  readonly echo?: boolean;
}

/** A line's message that reaches phones. */
export interface Arrival {
  readonly line: string;
  readonly seq: number;
  readonly chat: string;
  readonly isGroup: boolean;
  readonly phones: readonly string[];
  readonly text: string;
  /** When it reaches them. */
  readonly at: number;
}

const UPSERT_AUTOREPLY = statement(
  { phone: 'text', text: 'text', echo: 'int' },
  `insert into autoreplies (phone, text, echo) select i.phone, i.text, i.echo {from items} where true
   on conflict (phone) do update set text = excluded.text, echo = excluded.echo`,
);
const DELETE_AUTOREPLY = statement(
  { phone: 'text' },
  'delete from autoreplies where phone in (select i.phone {from items})',
);
const SELECT_AUTOREPLIES = statement(
  { phone: 'text' },
  'select a.phone, a.text, a.echo from autoreplies a {, items} where a.phone = i.phone',
);

/** Makes a phone answer by itself from now on, in every process; null, or nothing to say, ends it. */
export async function setAutoreply(wire: Wire, phone: string, autoreply: Autoreply | null): Promise<void> {
  const text = autoreply?.text ?? null;
  const echo = autoreply?.echo === true;
  await wire.database.transaction(async (tx) => {
    if (text === null && !echo) await tx.each(DELETE_AUTOREPLY, [{ phone }]);
    else await tx.each(UPSERT_AUTOREPLY, [{ phone, text, echo: echo ? 1 : 0 }]);
  });
}

/** The answers that these messages will get. A phone answers lines only, so two phones in a group never go on forever. */
export async function answersTo(wire: Wire, tx: WireTransaction, arrivals: readonly Arrival[]): Promise<Future[]> {
  const phones = [...new Set(arrivals.flatMap((arrival) => arrival.phones))];
  if (phones.length === 0) return [];
  const rows = await tx.each(
    SELECT_AUTOREPLIES,
    phones.map((phone) => ({ phone })),
  );
  const answers = new Map(rows.map((row) => [textOf(row, 'phone'), row]));
  return arrivals.flatMap(({ line, seq, chat, isGroup, phones, text, at }) =>
    phones.flatMap((from): Future[] => {
      const row = answers.get(from);
      if (row === undefined) return [];
      const answer = numberOf(row, 'echo') === 1 ? text : (textOrNull(row, 'text') ?? '');
      // A message without text has nothing to repeat.
      if (answer === '') return [];
      const body = { kind: 'reply', guid: wire.newGuid(), chat, isGroup, from, text: answer } as const;
      return [{ line, dueAt: at + wire.timings.autoreplyMs, cause: seq, body }];
    }),
  );
}
