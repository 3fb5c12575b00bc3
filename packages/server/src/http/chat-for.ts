/** The chat that something is to be done in, other than a message sent: whatever dialect names it. */
import type { Capability } from '@trunkline/drivers';
import { type Addressed, requireChat, requireFeature } from '../outbox/preconditions.ts';
import { requirePairedContact, requirePhone, type ViewDeps } from '../sandbox/view.ts';
import type { StoredChat } from '../store/chat-pages.ts';

/** Throws the refusal that applies to the line, to the sandbox, or to the chat. */
export async function requireChatFor(feature: Capability, deps: ViewDeps, addressed: Addressed): Promise<StoredChat> {
  const { accountRef, line, to } = addressed;
  requireFeature(line, feature);
  requirePairedContact(await requirePhone(deps, accountRef, line), to);
  return requireChat(deps.engine, addressed);
}
