/** What must be there before an item is accepted, whatever API asks for it. Each throws the refusal that applies. */
import type { Capability, OutgoingFile, SendStyle } from '@trunkline/drivers';
import { ApiError } from '../domain/errors.ts';
import type { Line } from '../domain/line.ts';
import { findOutgoingFiles } from '../store/attachments.ts';
import { findChat, type StoredChat } from '../store/chat-pages.ts';
import type { Engine } from '../store/database.ts';
import { findMessages, type StoredMessage } from '../store/messages.ts';
import { findOptOut } from '../store/opt-outs.ts';
import type { Recipient } from '../store/outbox.ts';

/** A chat on a line of a caller's account. */
export interface Addressed {
  readonly accountRef: number;
  readonly line: Line;
  readonly to: Recipient;
}

/**
 * Green bubbles carry text and files. Any other line whose driver has never run is given the benefit of the doubt: the
 * driver refuses what it cannot do.
 */
export function hasFeature({ service, capabilities }: Line, feature: Capability): boolean {
  return service !== 'sms' && (capabilities === null || capabilities.includes(feature));
}

export function requireFeature(line: Line, feature: Capability): void {
  if (!hasFeature(line, feature)) throw new ApiError('advanced_features_required', { param: 'from' });
}

/** The effect that a message goes with: on a line that has none it goes without, and is not refused. */
export function effectFor(line: Line, style: SendStyle | undefined): SendStyle | null {
  return style !== undefined && hasFeature(line, 'effects') ? style : null;
}

export async function requireFiles(
  engine: Engine,
  accountRef: number,
  ids: readonly string[],
  param: string,
): Promise<readonly OutgoingFile[]> {
  const files = await findOutgoingFiles(engine, accountRef, ids);
  if (!files) throw new ApiError('file_not_found', { param });
  return files;
}

function chatOf(engine: Engine, { accountRef, line, to }: Addressed): Promise<StoredChat | null> {
  return findChat(engine, accountRef, line.ref, to.kind === 'chat' ? { id: to.id } : { identifier: to.handle });
}

export async function requireChat(engine: Engine, addressed: Addressed): Promise<StoredChat> {
  const chat = await chatOf(engine, addressed);
  if (!chat) throw new ApiError('chat_not_found', { param: 'to' });
  return chat;
}

/** Whether the recipient may be written to, as it is decided for good when the item is accepted. */
export async function requireContact(engine: Engine, addressed: Addressed, mayBeCold: boolean): Promise<void> {
  const chat = await chatOf(engine, addressed);
  if (!chat && addressed.to.kind === 'chat') throw new ApiError('chat_not_found', { param: 'to' });
  if (addressed.line.contactFirst && !mayBeCold && !chat?.hasReceivedInbound) {
    throw new ApiError('contact_has_not_messaged', { param: 'to' });
  }
  if (await hasOptedOut(engine, addressed, chat)) throw new ApiError('recipient_opted_out', { param: 'to' });
}

/** A group opts out of nothing. */
async function hasOptedOut(engine: Engine, { accountRef, to }: Addressed, chat: StoredChat | null): Promise<boolean> {
  const handle = to.kind === 'handle' ? to.handle : chat?.identifier;
  if (handle === undefined || chat?.isGroup) return false;
  return (await findOptOut(engine, accountRef, handle)) !== null;
}

/** By its id or GUID, in that chat. */
export async function requireMessage(
  engine: Engine,
  accountRef: number,
  chat: StoredChat,
  name: string,
  param: string,
): Promise<StoredMessage> {
  const found = await findMessages(engine, accountRef, name);
  const message = found.find(({ chatId }) => chatId === chat.id);
  if (!message) throw new ApiError('message_not_found', { param });
  return message;
}

/** The GUID of the message that is answered. What is wrong with the chat itself is said when the send is accepted. */
export async function repliedGuid(engine: Engine, addressed: Addressed, replyTo: string): Promise<string | null> {
  const chat = await chatOf(engine, addressed);
  if (!chat || (addressed.line.contactFirst && !chat.hasReceivedInbound)) return null;
  if (await hasOptedOut(engine, addressed, chat)) return null;
  return (await requireMessage(engine, addressed.accountRef, chat, replyTo, 'reply_to')).guid;
}
