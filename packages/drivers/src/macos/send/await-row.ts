/** That a script ended well says nothing: a message was sent when its row is in the message database. */
import type { ChatDb } from '../chat-db/chat-db.ts';
import { isRefused } from '../chat-db/classify.ts';
import { failureSentence } from '../chat-db/failures.ts';
import type { Ledger, LedgerPart } from './ledger.ts';
import { isGhost } from './match-row.ts';
import type { OwnRowClaims } from './own-row-claims.ts';
import type { SendTimings } from './timings.ts';

export type Sighting =
  | { readonly state: 'seen'; readonly guid: string }
  | { readonly state: 'failed'; readonly reason: string }
  /** It has no row so far. */
  | { readonly state: 'absent' };

export interface AwaitRowDeps {
  readonly chatDb: Pick<ChatDb, 'ownRowsAfter'>;
  readonly ledger: Ledger;
  readonly claims: OwnRowClaims;
  readonly sleep: (ms: number) => Promise<void>;
  readonly timings: SendTimings;
  /** Whoever stops does not wait for rows: the next start looks for them. */
  readonly isClosing: () => boolean;
}

const GHOST =
  'Messages took the message and sent it nowhere, as it does where it mistakes a chat: open the chat once in ' +
  'Messages on the Mac.';

/** Looks for the row of a part that was dispatched, for `limitMs`. What it finds is written down. */
export async function awaitRow(
  deps: AwaitRowDeps,
  { reference, part }: Pick<LedgerPart, 'reference' | 'part'>,
  limitMs: number,
): Promise<Sighting> {
  const { timings, ledger } = deps;
  let ghostMs = 0;
  let piecesMs = 0;
  for (let waitedMs = 0; ; waitedMs += timings.pollMs) {
    const isOver = waitedMs >= limitMs || deps.isClosing();
    const look = tryToLook(deps, reference, part, isOver);
    if (look === null) {
      await deps.sleep(timings.pollMs);
      continue;
    }
    if (look.error !== 0) {
      const reason = failureSentence(look.error);
      ledger.settle(look.part, 'failed', reason);
      return { state: 'failed', reason };
    }
    const { guid } = look.part;
    if (look.part.state === 'seen' && guid !== null) {
      if (!look.part.isOpen || piecesMs >= timings.piecesMs || isOver) return { state: 'seen', guid };
      piecesMs += timings.pollMs;
    } else if (look.hasGhost && ghostMs >= timings.ghostMs) {
      look.disownGhosts();
      ledger.settle(look.part, 'failed', GHOST);
      return { state: 'failed', reason: GHOST };
    } else if (isOver) return { state: 'absent' };
    ghostMs = look.hasGhost ? ghostMs + timings.pollMs : 0;
    await deps.sleep(timings.pollMs);
  }
}

interface Look {
  readonly part: LedgerPart;
  /** By which the part's row was refused; 0 where it was not, or is not there. */
  readonly error: number;
  readonly hasGhost: boolean;
  disownGhosts(): void;
}

/** A database that cannot be read is asked again; when the time is over, its error is what there is to say. */
function tryToLook(deps: AwaitRowDeps, reference: string, part: number, isLast: boolean): Look | null {
  try {
    return lookOnce(deps, reference, part);
  } catch (error) {
    if (isLast) throw error;
    return null;
  }
}

function lookOnce({ chatDb, ledger, claims }: AwaitRowDeps, reference: string, number: number): Look {
  const before = partOf(ledger, reference, number);
  const rows = chatDb.ownRowsAfter(before.maxRowidBefore);
  for (const row of rows) claims.claim(row);
  const part = partOf(ledger, reference, number);
  const own = rows.find(({ guid }) => guid === part.guid);
  const ghosts = rows.filter((row) => isGhost(row, part.chat));
  return {
    part,
    error: own !== undefined && isRefused(own) ? own.error : 0,
    hasGhost: ghosts.length > 0,
    disownGhosts: () => {
      for (const ghost of ghosts) claims.disown(ghost);
    },
  };
}

function partOf(ledger: Ledger, reference: string, number: number): LedgerPart {
  const part = ledger.part(reference, number);
  if (part === null) throw new Error(`The hand-over ${reference} has no part ${number}.`);
  return part;
}
