/** The line and the chat that a request names in `from` and `to`. */
import type { Capability } from '@trunkline/drivers';
import type { Caller } from '../../access/authenticate.ts';
import { ApiError } from '../../domain/errors.ts';
import type { Line } from '../../domain/line.ts';
import { resolveLine } from '../../lines/resolve.ts';
import { requireChat, requireFeature } from '../../outbox/preconditions.ts';
import { requirePairedContact, requirePhone, type ViewDeps } from '../../sandbox/view.ts';
import type { StoredChat } from '../../store/chat-pages.ts';
import type { Recipient } from '../../store/outbox.ts';
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
  requireFeature(line, feature);
  requirePairedContact(await requirePhone(deps, caller.accountRef, line), to);
  return { line, to, chat: await requireChat(deps.engine, { accountRef: caller.accountRef, line, to }) };
}
