/** What has become of own messages since they were told: delivered, read, refused after all, or sent after all. */
import { isRefused } from './classify.ts';
import { failureSentence } from './failures.ts';
import type { OpenChatDb } from './open-chat-db.ts';
import type { Outcome } from './outcome.ts';
import type { ToldRow } from './reader-memory.ts';
import { isSet, millisecondsIn, momentOf, numberOf, textOf } from './row-values.ts';
import type { EventBody } from './to-events.ts';

interface OwnState {
  readonly isSent: boolean;
  readonly isDelivered: boolean;
  readonly deliveredAt: number | null;
  readonly readAt: number | null;
  readonly error: number;
  readonly wasDowngraded: boolean;
}

/** `again` are rows that were refused and went out after all: they are judged anew. */
export function findOwnChanges(
  db: OpenChatDb,
  told: readonly ToldRow[],
  now: number,
): { readonly outcomes: readonly Outcome[]; readonly again: readonly string[] } {
  if (told.length === 0) return { outcomes: [], again: [] };
  const states = readStates(
    db,
    told.map(({ guid }) => guid),
  );
  const again = told.filter((one) => one.asWhat === 'refusal' && isThroughAfterAll(states.get(one.guid)));
  const messages = told.filter(({ asWhat }) => asWhat === 'message');
  return {
    outcomes: messages.flatMap((one) => compare(one, states.get(one.guid), now) ?? []),
    again: again.map(({ guid }) => guid),
  };
}

function isThroughAfterAll(state: OwnState | undefined): boolean {
  return state !== undefined && !isRefused(state) && (state.isSent || state.isDelivered);
}

/** Null where nothing has changed. A row that its owner has deleted is looked at no more. */
function compare(told: ToldRow, state: OwnState | undefined, now: number): Outcome | null {
  if (state === undefined) return { events: [], keep: (memory) => memory.keepTold({ ...told, isSettled: true }) };
  const { guid, reference } = told;
  const isDelivered = told.isDelivered || state.isDelivered;
  const isRead = told.isRead || (told.isDirect && state.readAt !== null);
  const error = isRefused(state) ? state.error : 0;
  if (isDelivered === told.isDelivered && isRead === told.isRead && error === told.error) return null;
  const events: EventBody[] = [];
  if (isDelivered !== told.isDelivered) {
    events.push({ kind: 'receipt', receipt: 'delivered', guid, at: state.deliveredAt ?? now });
  }
  if (isRead !== told.isRead) events.push({ kind: 'receipt', receipt: 'read', guid, at: state.readAt ?? now });
  if (error !== told.error && error !== 0 && reference !== null) {
    events.push({ kind: 'failure', reference, reason: failureSentence(error) });
  }
  // What goes out after all is told again, as more may hang on it than its receipts.
  const asWhat = error === 0 ? told.asWhat : 'refusal';
  const changed: ToldRow = { ...told, asWhat, isDelivered, isRead, error, isSettled: isRead };
  return { events, keep: (memory) => memory.keepTold(changed) };
}

function readStates(db: OpenChatDb, guids: readonly string[]): ReadonlyMap<string, OwnState> {
  const rows = db.all(
    `SELECT guid, is_sent, is_delivered, error, was_downgraded, ${millisecondsIn('date_delivered')} AS date_delivered,
       ${millisecondsIn('date_read')} AS date_read
     FROM message WHERE guid IN (SELECT value FROM json_each(?))`,
    JSON.stringify(guids),
  );
  return new Map(
    rows.map((row) => [
      textOf(row, 'guid') ?? '',
      {
        isSent: isSet(row, 'is_sent'),
        isDelivered: isSet(row, 'is_delivered'),
        deliveredAt: momentOf(row, 'date_delivered'),
        readAt: momentOf(row, 'date_read'),
        error: numberOf(row, 'error'),
        wasDowngraded: isSet(row, 'was_downgraded'),
      },
    ]),
  );
}
