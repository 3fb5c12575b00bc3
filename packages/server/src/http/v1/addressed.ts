/** The line and the chat that a request names in `from` and `to`, or the message that it names. */
import type { Capability } from '@trunkline/drivers';
import type { Caller } from '../../access/authenticate.ts';
import { ApiError } from '../../domain/errors.ts';
import type { Line } from '../../domain/line.ts';
import { mayUseRef, resolveLine } from '../../lines/resolve.ts';
import { requireChat } from '../../outbox/preconditions.ts';
import { leaveShown, requirePhone, type ViewDeps } from '../../sandbox/view.ts';
import type { StoredChat } from '../../store/chat-pages.ts';
import { findMessages, type StoredMessage } from '../../store/messages.ts';
import type { Recipient } from '../../store/outbox.ts';
import { requireChatFor } from '../chat-for.ts';
import { recipientOf } from './recipient.ts';

interface Named {
  readonly from: string;
  readonly to: string;
}

interface AddressedChat {
  readonly line: Line;
  readonly to: Recipient;
  readonly chat: StoredChat;
}

/** For what is read in the chat. */
export async function resolveChat(deps: ViewDeps, caller: Caller, named: Named): Promise<AddressedChat> {
  const { accountRef } = caller;
  const to = recipientOf(named.to);
  const line = await resolveLine(deps.registry, caller, named.from);
  const phone = await requirePhone(deps, accountRef, line);
  const chat = await requireChat(deps.engine, { accountRef, line, to });
  // A phone that was paired before is not shown.
  if (phone && phone.chat?.id !== chat.id) throw new ApiError('chat_not_found', { param: 'to' });
  return { line, to, chat };
}

/** For what is done in the chat. */
export async function resolveChatFor(
  feature: Capability,
  deps: ViewDeps,
  caller: Caller,
  named: Named,
): Promise<AddressedChat> {
  const to = recipientOf(named.to);
  const line = await resolveLine(deps.registry, caller, named.from);
  return { line, to, chat: await requireChatFor(feature, deps, { accountRef: caller.accountRef, line, to }) };
}

/** By its id or its GUID; of a GUID that is on several lines the newest that the caller may use, or that of the line. */
export async function resolveMessage(
  deps: ViewDeps,
  caller: Caller,
  named: { readonly name: string; readonly from: string | undefined; readonly param: string },
): Promise<StoredMessage> {
  const { name, from, param } = named;
  const { accountRef } = caller;
  const line = from === undefined ? null : await resolveLine(deps.registry, caller, from);
  if (line) await requirePhone(deps, accountRef, line);
  // No database can look for a NUL, and no message has one in its name.
  const found = name.includes('\0') ? [] : await findMessages(deps.engine, accountRef, name);
  const shown = await leaveShown(deps, accountRef, found);
  const message = shown.find(
    ({ lineRef }) => (line === null || lineRef === line.ref) && mayUseRef(deps.registry, caller, lineRef),
  );
  if (!message) throw new ApiError('message_not_found', { param });
  return message;
}
