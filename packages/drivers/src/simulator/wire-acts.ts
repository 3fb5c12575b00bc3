/** What a line does besides sending messages: it reacts, types, and marks chats as read. */
import type { ChatAddress } from '../line-driver.ts';
import type { Tapback } from '../tapback.ts';
import { type Feed, writeFeed } from './feed.ts';
import { putReaction } from './reactions.ts';
import { statement, type Wire } from './wire.ts';
import type { WireTransaction } from './wire-database.ts';
import { attemptKey, claimHandOvers, readChats } from './wire-send.ts';

export interface Acting {
  readonly line: string;
  readonly reference: string;
  readonly attempt: number;
  readonly chat: ChatAddress;
  readonly act: Act;
}

type Act =
  | { readonly kind: 'reaction'; readonly target: string; readonly type: Tapback }
  | { readonly kind: 'typing'; readonly isTyping: boolean }
  | { readonly kind: 'receipt' };

export type ActOutcome =
  /** `guid` names it. */
  | { readonly state: 'done'; readonly guid: string }
  | { readonly state: 'voided' }
  | { readonly state: 'no_such_group' }
  | { readonly state: 'no_such_message' };

const INSERT_ACT = statement(
  { reference: 'text', attempt: 'int', line: 'text', chat: 'text', kind: 'text', guid: 'text', at: 'int' },
  `insert into acts (reference, attempt, line, chat, kind, guid, at)
   select i.reference, i.attempt, i.line, i.chat, i.kind, i.guid, i.at {from items}`,
);
const SELECT_TARGET = statement(
  { guid: 'text', line: 'text', chat: 'text' },
  'select m.guid from messages m {, items} where m.guid = i.guid and m.line = i.line and m.chat = i.chat',
);
const SHOW_TYPING = statement(
  { line: 'text', chat: 'text', until_at: 'int' },
  `insert into line_typing (line, chat, until_at) select i.line, i.chat, i.until_at {from items} where true
   on conflict (line, chat) do update set until_at = excluded.until_at`,
);
const HIDE_TYPING = statement(
  { line: 'text', chat: 'text' },
  'delete from line_typing where (line, chat) in (select i.line, i.chat {from items})',
);
const READ_CHAT = statement(
  { line: 'text', chat: 'text' },
  `update messages set state = 'read' {from items}
   where messages.line = i.line and messages.chat = i.chat and messages.state = 'received'`,
);

/** Carries out a batch, in its order. As with messages, nothing is deduplicated but an attempt that was voided. */
export function writeActs(wire: Wire, actings: readonly Acting[]): Promise<ActOutcome[]> {
  const lines = actings.map(({ line }) => line);
  return writeFeed(wire, lines, async (tx, feed) => {
    const groups = await readChats(tx, actings);
    const voided = await claimHandOvers(tx, actings);
    const outcomes: ActOutcome[] = [];
    for (const acting of actings) {
      const isThere = !acting.chat.isGroup || groups.has(acting.chat.identifier);
      if (voided.has(attemptKey(acting))) outcomes.push({ state: 'voided' });
      else if (isThere) outcomes.push(await carryOut(wire, tx, feed, acting));
      else outcomes.push({ state: 'no_such_group' });
    }
    return outcomes;
  });
}

async function carryOut(wire: Wire, tx: WireTransaction, feed: Feed, acting: Acting): Promise<ActOutcome> {
  const { line, reference, attempt, act } = acting;
  const chat = acting.chat.identifier;
  if (act.kind === 'reaction') {
    const { target, type } = act;
    if ((await tx.each(SELECT_TARGET, [{ guid: target, line, chat }])).length === 0)
      return { state: 'no_such_message' };
    await putReaction(tx, feed, { line, chat, target, sender: line, isFromLine: true, type, added: true, reference });
  } else if (act.kind === 'receipt') {
    await tx.each(READ_CHAT, [{ line, chat }]);
  } else if (act.isTyping) {
    await tx.each(SHOW_TYPING, [{ line, chat, until_at: feed.at + wire.timings.typingMs }]);
  } else {
    await tx.each(HIDE_TYPING, [{ line, chat }]);
  }
  const guid = wire.newGuid();
  await tx.each(INSERT_ACT, [{ reference, attempt, line, chat, kind: act.kind, guid, at: feed.at }]);
  return { state: 'done', guid };
}
