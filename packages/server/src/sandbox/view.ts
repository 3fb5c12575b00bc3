/** What an account may name and see of the line that all share: its paired phone, and the chat with it. */
import { ApiError } from '../domain/errors.ts';
import type { Line } from '../domain/line.ts';
import type { PairedPhone } from '../domain/sandbox.ts';
import type { LineRegistry } from '../lines/registry.ts';
import type { Engine } from '../store/database.ts';
import type { Recipient } from '../store/outbox.ts';
import { readPairedPhone } from '../store/sandbox-pairings.ts';

export interface ViewDeps {
  readonly engine: Engine;
  readonly registry: LineRegistry;
}

/** Null on an ordinary line, whose chats are all its account's. Throws `sandbox_not_activated`. */
export async function requirePhone(
  { engine }: Pick<ViewDeps, 'engine'>,
  accountRef: number,
  line: Line,
): Promise<PairedPhone | null> {
  if (!line.isSandbox) return null;
  const phone = await readPairedPhone(engine, accountRef, line.ref);
  if (!phone) throw new ApiError('sandbox_not_activated', { param: 'from' });
  return phone;
}

/** Throws `sandbox_contact_mismatch` where somebody else than the paired phone is written to. */
export function requirePairedContact(phone: PairedPhone | null, to: Recipient): void {
  if (phone === null) return;
  const isPhone = to.kind === 'handle' ? to.handle === phone.handle : to.id === phone.chat?.id;
  if (!isPhone) throw new ApiError('sandbox_contact_mismatch', { param: 'to' });
}

/** Leaves out what lies in other chats of the sandbox line than the paired phone's. */
export async function leaveShown<Found extends { readonly lineRef: number; readonly chatId: string }>(
  { engine, registry }: ViewDeps,
  accountRef: number,
  found: readonly Found[],
): Promise<readonly Found[]> {
  const isShared = ({ lineRef }: Found) => registry.byRef(lineRef)?.isSandbox === true;
  const shared = found.find(isShared);
  if (!shared) return found;
  const phone = await readPairedPhone(engine, accountRef, shared.lineRef);
  return found.filter((one) => !isShared(one) || one.chatId === phone?.chat?.id);
}

/** The same for a chat that was found by its id. */
export async function isChatShown(
  deps: ViewDeps,
  accountRef: number,
  { id, lineRef }: { readonly id: string; readonly lineRef: number },
): Promise<boolean> {
  return (await leaveShown(deps, accountRef, [{ lineRef, chatId: id }])).length > 0;
}

/** The sandbox line as event streams see it. */
export function sharedLine({ engine, registry }: ViewDeps) {
  return {
    is: (lineRef: number) => registry.byRef(lineRef)?.isSandbox === true,
    async chatOf(accountRef: number, lineRef: number): Promise<number | null> {
      return (await readPairedPhone(engine, accountRef, lineRef))?.chat?.ref ?? null;
    },
  };
}
