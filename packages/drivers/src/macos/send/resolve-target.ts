/**
 * Where a message is sent to: an existing chat by the GUID that Messages knows it by, or somebody by an account. A group
 * is never put together from its members, and never taken for anything but a group.
 */
import { normaliseHandle } from '../../handle.ts';
import type { ChatAddress } from '../../line-driver.ts';
import type { Service } from '../../service.ts';
import type { ChatDb } from '../chat-db/chat-db.ts';
import type { ChatRow } from '../chat-db/message-row.ts';
import { accountFor, listAccounts, noAccountSentence } from './accounts.ts';
import type { RunScript } from './osascript.ts';
import { sentenceOf } from './script-errors.ts';
import { LIST_CHATS } from './scripts.ts';
import type { SendTimings } from './timings.ts';

export type Target =
  | { readonly form: 'chat'; readonly guid: string; readonly chat: ChatRow }
  | { readonly form: 'participant'; readonly account: string; readonly handle: string };

export type Resolved =
  | { readonly state: 'target'; readonly target: Target }
  | { readonly state: 'not_started' | 'failed'; readonly reason: string };

export interface ResolveDeps {
  readonly chatDb: Pick<ChatDb, 'chatsOf'>;
  readonly run: RunScript;
  /** Opens a chat in Messages by its link. */
  readonly openUrl: (url: string) => Promise<void>;
  readonly sleep: (ms: number) => Promise<void>;
  /** The line's own. */
  readonly service: Service;
  readonly timings: Pick<SendTimings, 'probeLimitMs' | 'openMs'>;
}

/** How often Messages is asked for a chat that was just opened. */
const LOOKS_AFTER_OPEN = 3;
const UNKNOWN_AT_PRESENT: Resolved = {
  state: 'not_started',
  reason: 'Messages does not know this chat at present: open it once in Messages on the Mac.',
};

/** The chat as the database knows it, or the recipient's handle. */
export async function resolveTarget(deps: ResolveDeps, address: ChatAddress): Promise<Resolved> {
  const chat = chooseChat(deps, address);
  if (chat !== null) return { state: 'target', target: { form: 'chat', guid: chat.guid, chat } };
  if (address.isGroup) {
    return { state: 'failed', reason: 'This Mac knows no such group, and Messages cannot be told to make one.' };
  }
  return resolveParticipant(deps, address.identifier, deps.service);
}

/** After Messages did not know a chat that the database has. Nothing has been sent when this is asked. */
export async function resolveAgain(deps: ResolveDeps, address: ChatAddress, failed: ChatRow): Promise<Resolved> {
  if (!address.isGroup) {
    const isOne = failed.participants.length <= 1 && normaliseHandle(address.identifier) !== null;
    return isOne ? resolveParticipant(deps, address.identifier, failed.service) : UNKNOWN_AT_PRESENT;
  }
  const live = (await findLive(deps, failed)) ?? (await openAndFind(deps, failed));
  if (live !== null) return { state: 'target', target: { form: 'chat', guid: live, chat: failed } };
  return UNKNOWN_AT_PRESENT;
}

/** Of several chats of one recipient that of the line's service, and of those the newest. */
function chooseChat({ chatDb, service }: ResolveDeps, address: ChatAddress): ChatRow | null {
  const chats = chatDb.chatsOf(address.identifier).filter(({ isGroup }) => isGroup === address.isGroup);
  const ranked = chats.sort(
    (left, right) => Number(right.service === service) - Number(left.service === service) || right.rowid - left.rowid,
  );
  return ranked[0] ?? null;
}

async function resolveParticipant(deps: ResolveDeps, identifier: string, service: Service): Promise<Resolved> {
  const handle = normaliseHandle(identifier);
  if (handle === null) {
    return { state: 'failed', reason: 'A new chat needs a phone number with its country code, or an e-mail address.' };
  }
  const listed = await listAccounts(deps.run, deps.timings.probeLimitMs);
  if (listed.state === 'refused') return { state: 'not_started', reason: sentenceOf(listed.outcome) };
  const account = accountFor(listed.accounts, service);
  if (account === null) return { state: 'not_started', reason: noAccountSentence(service) };
  return { state: 'target', target: { form: 'participant', account: account.id, handle } };
}

/** Opened in the background by its link, a chat that the database has may become live. */
async function openAndFind(deps: ResolveDeps, chat: ChatRow): Promise<string | null> {
  await deps.openUrl(`imessage://open?groupid=${encodeURIComponent(chat.identifier)}`);
  for (let look = 0; look < LOOKS_AFTER_OPEN; look += 1) {
    await deps.sleep(deps.timings.openMs);
    const live = await findLive(deps, chat);
    if (live !== null) return live;
  }
  return null;
}

/** The id that Messages knows a group by. One without the plus is no group: what is sent there goes nowhere. */
async function findLive(deps: ResolveDeps, chat: ChatRow): Promise<string | null> {
  const outcome = await deps.run({ source: LIST_CHATS, argv: [], limitMs: deps.timings.probeLimitMs });
  if (outcome.state !== 'done') return null;
  return outcome.output.split(/\r?\n/).find((id) => id.endsWith(`;+;${chat.identifier}`)) ?? null;
}
