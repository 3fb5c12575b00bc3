/** What a simulator request names: a phone, a simulated line, a group, a message. */
import { normaliseHandle, type SimulatorNetwork } from '@trunkline/drivers';
import type { Caller } from '../../access/authenticate.ts';
import type { Clock } from '../../clock.ts';
import { ApiError } from '../../domain/errors.ts';
import { hasPrefix } from '../../domain/ids.ts';
import type { Line } from '../../domain/line.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { mayUse, resolveLine } from '../../lines/resolve.ts';
import { isChatShown, leaveShown } from '../../sandbox/view.ts';
import { findChat, findChatById } from '../../store/chat-pages.ts';
import type { Engine } from '../../store/database.ts';
import { findMessages } from '../../store/messages.ts';
import { readPairedPhone } from '../../store/sandbox-pairings.ts';
import type { LinkFile } from '../../wire/v1.ts';
import { invalidValue, nameField } from '../input.ts';

export interface SimulatorDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly registry: LineRegistry;
  readonly network: SimulatorNetwork;
  readonly linkFile: LinkFile;
}

export const phoneField = nameField.describe("The phone's handle.");
export const addressedField = nameField.describe('A line by its handle or its `ln_` id, or a group by its `cht_` id.');

export function handleOf(param: string, text: string): string {
  const handle = normaliseHandle(text);
  if (handle === null) throw invalidValue(param, 'must be a handle (E.164 or e-mail)');
  return handle;
}

/** A simulated line of the account that the caller may use. Others, and the one that all share, are not there. */
export async function simulatedLine(deps: SimulatorDeps, caller: Caller, name: string, param: string): Promise<Line> {
  return lineFor(deps, caller, name, param, async () => false);
}

/** The same for what a phone does or shows: the shared line is there for the phone that is paired with the account. */
function simulatedLineOf(
  deps: SimulatorDeps,
  caller: Caller,
  name: string,
  param: string,
  phone: string,
): Promise<Line> {
  return lineFor(deps, caller, name, param, (line) => isPaired(deps, caller, line, phone));
}

async function lineFor(
  deps: SimulatorDeps,
  caller: Caller,
  name: string,
  param: string,
  sharesIt: (line: Line) => Promise<boolean>,
): Promise<Line> {
  const line = await resolveLine(deps.registry, { ...caller, lineRefs: null }, name, param);
  const isForCaller = line.isSandbox ? line.kind === 'simulator' && (await sharesIt(line)) : isThere(caller, line);
  if (!isForCaller) throw new ApiError('line_not_found', { param });
  return line;
}

async function isPaired({ engine }: SimulatorDeps, caller: Caller, line: Line, phone: string): Promise<boolean> {
  return (await readPairedPhone(engine, caller.accountRef, line.ref))?.handle === phone;
}

function isThere(caller: Caller, line: Line): boolean {
  const isOwn = line.accountRef === caller.accountRef && line.kind === 'simulator' && !line.isSandbox;
  return isOwn && mayUse(caller, line);
}

/** `to` names a line, or a group by its `cht_` id. A text that pairs a phone is for the shared line, whoever sends it. */
export async function addressed(
  deps: SimulatorDeps,
  caller: Caller,
  { from, to, isPairing = false }: { readonly from: string; readonly to: string; readonly isPairing?: boolean },
): Promise<{ readonly line: Line; readonly group: string | null }> {
  if (!hasPrefix('chat', to)) {
    const sharesIt = async (line: Line) => isPairing || isPaired(deps, caller, line, from);
    return { line: await lineFor(deps, caller, to, 'to', sharesIt), group: null };
  }
  const chat = await findChatById(deps.engine, caller.accountRef, to);
  const line = chat?.isGroup ? await deps.registry.find(chat.lineId) : undefined;
  if (!chat || !line?.isActive || !isThere(caller, line)) throw new ApiError('chat_not_found', { param: 'to' });
  return { line, group: chat.identifier };
}

/** The lines of which a phone shows what was said. */
export async function shownLines(
  deps: SimulatorDeps,
  caller: Caller,
  phone: string,
  name: string | undefined,
): Promise<readonly Line[]> {
  if (name !== undefined) return [await simulatedLineOf(deps, caller, name, 'line', phone)];
  const lines = deps.registry.all().filter(({ isActive }) => isActive);
  const shared = lines.find(({ isSandbox, kind }) => isSandbox && kind === 'simulator');
  const shows = shared !== undefined && (await isPaired(deps, caller, shared, phone));
  return lines.filter((line) => (line.isSandbox ? shows && line === shared : isThere(caller, line)));
}

/** The chat of a phone, or of a group, on a line; on the shared one where the caller's account sees it. */
export async function chatIdOf(
  { engine, registry }: SimulatorDeps,
  { accountRef }: Caller,
  line: Line,
  identifier: string,
): Promise<string | null> {
  const chat = await findChat(engine, accountRef, line.ref, { identifier });
  return chat && (await isChatShown({ engine, registry }, accountRef, chat)) ? chat.id : null;
}

/** The GUID of a message by its `msg_` id or GUID, on a line that the caller sees here. */
export async function guidOf(deps: SimulatorDeps, caller: Caller, name: string, param = 'message_id'): Promise<string> {
  const found = await leaveShown(deps, caller.accountRef, await findMessages(deps.engine, caller.accountRef, name));
  const message = found.find(({ lineRef }) => {
    const line = deps.registry.byRef(lineRef);
    return line !== undefined && (line.isSandbox ? line.kind === 'simulator' : isThere(caller, line));
  });
  if (!message) throw new ApiError('message_not_found', { param });
  return message.guid;
}
