/** Hands one part over to Messages, once, and finds out what became of it. */
import type { ChatDb } from '../chat-db/chat-db.ts';
import { type AwaitRowDeps, awaitRow } from './await-row.ts';
import type { LedgerPart } from './ledger.ts';
import type { Script, ScriptOutcome } from './osascript.ts';
import { type ResolveDeps, type Resolved, resolveAgain, resolveTarget, type Target } from './resolve-target.ts';
import { hasSentNothing, isUnreachable, NOT_FOUND, sentenceOf } from './script-errors.ts';
import { FILE_TO_CHAT, FILE_TO_PARTICIPANT, TEXT_TO_CHAT, TEXT_TO_PARTICIPANT } from './scripts.ts';
import type { SendTimings } from './timings.ts';

export type PartOutcome =
  | { readonly state: 'seen'; readonly guid: string }
  /** Messages took it, and its row has not come yet. */
  | { readonly state: 'accepted' }
  | { readonly state: 'not_started' | 'failed' | 'unknown'; readonly reason: string };

export interface DeliverDeps extends AwaitRowDeps, ResolveDeps {
  readonly chatDb: ChatDb;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Starts Messages in the background. */
  readonly openMessages: () => Promise<void>;
  readonly timings: SendTimings;
}

/** `stagedPath` is where the part's file lies; null where it is a text. */
export async function deliverPart(
  deps: DeliverDeps,
  part: LedgerPart,
  stagedPath: string | null,
): Promise<PartOutcome> {
  const left = { chats: true, starts: true };
  for (let resolved = await resolveTarget(deps, part.chat); ; ) {
    if (resolved.state !== 'target') return resolved;
    const { target } = resolved;
    deps.ledger.dispatch(part, {
      maxRowidBefore: deps.chatDb.maxRowid(),
      at: deps.now(),
      chatGuids: target.form === 'chat' ? [target.guid, target.chat.guid] : [],
      stagedPath,
    });
    const outcome = await deps.run(scriptFor(deps.timings, target, part.text, stagedPath));
    if (!hasSentNothing(outcome)) return verify(deps, part, outcome);
    const reason = sentenceOf(outcome);
    deps.ledger.settle(part, 'not_started', reason);
    const next = await nextTarget(deps, part, target, outcome.error, left);
    if (next === null) return { state: 'not_started', reason };
    resolved = next;
  }
}

/** What is tried once more, because nothing has been sent: the chat in another way, or a Messages that was started. */
async function nextTarget(
  deps: DeliverDeps,
  part: LedgerPart,
  target: Target,
  error: number | null,
  left: { chats: boolean; starts: boolean },
): Promise<Resolved | null> {
  if (error === NOT_FOUND && target.form === 'chat' && left.chats) {
    left.chats = false;
    return resolveAgain(deps, part.chat, target.chat);
  }
  if (isUnreachable(error) && left.starts) {
    left.starts = false;
    await deps.openMessages();
    await deps.sleep(deps.timings.openMs);
    return { state: 'target', target };
  }
  return null;
}

async function verify(deps: DeliverDeps, part: LedgerPart, outcome: ScriptOutcome): Promise<PartOutcome> {
  const { textRowMs, fileRowMs } = deps.timings;
  const sighting = await awaitRow(deps, part, part.text === null ? fileRowMs : textRowMs);
  if (sighting.state !== 'absent') return sighting;
  if (outcome.state === 'done') {
    deps.ledger.settle(part, 'unknown', null);
    return { state: 'accepted' };
  }
  const reason = `${sentenceOf(outcome)} The message may have gone out all the same.`;
  deps.ledger.settle(part, 'unknown', reason);
  return { state: 'unknown', reason };
}

function scriptFor(timings: SendTimings, target: Target, text: string | null, stagedPath: string | null): Script {
  const content = stagedPath ?? text ?? '';
  const isFile = stagedPath !== null;
  const limitMs = isFile ? timings.fileLimitMs : timings.textLimitMs;
  if (target.form === 'chat') {
    return { source: isFile ? FILE_TO_CHAT : TEXT_TO_CHAT, argv: [target.guid, content], limitMs };
  }
  const source = isFile ? FILE_TO_PARTICIPANT : TEXT_TO_PARTICIPANT;
  return { source, argv: [target.account, target.handle, content], limitMs };
}
