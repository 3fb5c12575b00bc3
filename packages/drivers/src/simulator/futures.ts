/**
 * What will happen on the network later: a receipt under latency, a phone's own answer, the second row of a link
 * preview. Futures are rows written with what caused them, so that a crash loses none of them; `due.ts` does them.
 */
import { statement } from './wire.ts';
import type { WireTransaction } from './wire-database.ts';

export type FutureBody =
  | { readonly kind: 'delivered'; readonly guid: string; readonly chat: string }
  | { readonly kind: 'preview'; readonly guid: string; readonly chat: string; readonly partOf: string }
  | { readonly kind: 'transcription'; readonly guid: string; readonly chat: string; readonly transcription: string }
  | {
      readonly kind: 'reply';
      readonly guid: string;
      readonly chat: string;
      readonly isGroup: boolean;
      readonly from: string;
      readonly text: string;
    };

export interface Future {
  readonly line: string;
  readonly dueAt: number;
  /** The position of the entry that it follows from. */
  readonly cause: number;
  readonly body: FutureBody;
}

const INSERT_FUTURES = statement(
  { id: 'text', line: 'text', due_at: 'int', cause: 'int', kind: 'text', body: 'text' },
  `insert into futures (id, line, due_at, cause, kind, body)
   select i.id, i.line, i.due_at, i.cause, i.kind, i.body {from items}`,
);

export async function scheduleFutures(tx: WireTransaction, futures: readonly Future[]): Promise<void> {
  const rows = futures.map(({ line, dueAt, cause, body }) => ({
    id: `${body.kind}:${body.guid}`,
    line,
    due_at: dueAt,
    cause,
    kind: body.kind,
    body: JSON.stringify(body),
  }));
  if (rows.length > 0) await tx.each(INSERT_FUTURES, rows);
}
