/** What a simulator request names: a phone, a simulated line, a group, a message. */
import { normaliseHandle, type SimulatorNetwork } from '@trunkline/drivers';
import type { Caller } from '../../access/authenticate.ts';
import type { Clock } from '../../clock.ts';
import { ApiError } from '../../domain/errors.ts';
import { hasPrefix } from '../../domain/ids.ts';
import type { Line } from '../../domain/line.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { mayUse, resolveLine } from '../../lines/resolve.ts';
import { findChatById } from '../../store/chat-pages.ts';
import type { Engine } from '../../store/database.ts';
import { findMessages } from '../../store/messages.ts';
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

/** A simulated line that the caller may use. Others, and the sandbox line while no phone is paired, are not there. */
export async function simulatedLine(deps: SimulatorDeps, caller: Caller, name: string, param: string): Promise<Line> {
  const line = await resolveLine(deps.registry, { ...caller, lineRefs: null }, name, param);
  if (!isThere(caller, line)) throw new ApiError('line_not_found', { param });
  return line;
}

function isThere(caller: Caller, line: Line): boolean {
  const isOwn = line.accountRef === caller.accountRef && line.kind === 'simulator' && !line.isSandbox;
  return isOwn && mayUse(caller, line);
}

/** `to` names a line, or a group by its `cht_` id. */
export async function addressed(
  deps: SimulatorDeps,
  caller: Caller,
  to: string,
): Promise<{ readonly line: Line; readonly group: string | null }> {
  if (!hasPrefix('chat', to)) return { line: await simulatedLine(deps, caller, to, 'to'), group: null };
  const chat = await findChatById(deps.engine, caller.accountRef, to);
  const line = chat?.isGroup ? await deps.registry.find(chat.lineId) : undefined;
  if (!chat || !line?.isActive || !isThere(caller, line)) throw new ApiError('chat_not_found', { param: 'to' });
  return { line, group: chat.identifier };
}

export async function shownLines(
  deps: SimulatorDeps,
  caller: Caller,
  name: string | undefined,
): Promise<readonly Line[]> {
  if (name !== undefined) return [await simulatedLine(deps, caller, name, 'line')];
  return deps.registry.all().filter((line) => isThere(caller, line));
}

/** The GUID of a message by its `msg_` id or GUID, on a line that the caller sees here. */
export async function guidOf(deps: SimulatorDeps, caller: Caller, name: string, param = 'message_id'): Promise<string> {
  const found = await findMessages(deps.engine, caller.accountRef, name);
  const message = found.find(({ lineRef }) => {
    const line = deps.registry.byRef(lineRef);
    return line !== undefined && isThere(caller, line);
  });
  if (!message) throw new ApiError('message_not_found', { param });
  return message.guid;
}
