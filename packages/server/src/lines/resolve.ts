/** The line that a request names in `from`, and whether its key may use it. */
import { normaliseHandle } from '@trunkline/drivers';
import { ApiError } from '../domain/errors.ts';
import { hasPrefix } from '../domain/ids.ts';
import type { Line } from '../domain/line.ts';
import type { LineRegistry } from './registry.ts';

/** As much of a caller as decides about lines. */
export interface LineUser {
  readonly accountRef: number;
  readonly lineRefs: ReadonlySet<number> | null;
}

/** Whether the line exists for the account: its own, or the sandbox that all share. */
export function isVisible(user: LineUser, line: Line): boolean {
  return line.isActive && (line.accountRef === user.accountRef || line.isSandbox);
}

export function mayUse(user: LineUser, line: Line): boolean {
  return line.isSandbox || user.lineRefs === null || user.lineRefs.has(line.ref);
}

/** Every line that exists for the user and that it may use. */
export function usableLines(registry: LineRegistry, user: LineUser): readonly Line[] {
  return registry.all().filter((line) => isVisible(user, line) && mayUse(user, line));
}

/** The same where only the line's ref is known, as of an object that was found by its id. */
export function mayUseRef(registry: LineRegistry, user: LineUser, lineRef: number): boolean {
  return user.lineRefs === null || user.lineRefs.has(lineRef) || registry.byRef(lineRef)?.isSandbox === true;
}

/** The lines that the user is limited to, with those that everybody may use; null for all. */
export function usableLineRefs(registry: LineRegistry, user: LineUser): readonly number[] | null {
  if (user.lineRefs === null) return null;
  const sandboxes = registry.all().filter((line) => line.isSandbox);
  return [...new Set([...user.lineRefs, ...sandboxes.map((line) => line.ref)])];
}

/** Throws `invalid_parameter_value`, `line_not_found` or `line_not_accessible`, each with `param`. */
export async function resolveLine(registry: LineRegistry, user: LineUser, from: string, param = 'from'): Promise<Line> {
  const line = await registry.find(lineName(from, param));
  if (!line || !isVisible(user, line)) throw new ApiError('line_not_found', { param });
  if (!mayUse(user, line)) throw new ApiError('line_not_accessible', { param });
  return line;
}

/** The same for whoever administers the line: one that is switched off is there too. */
export async function resolveOwnLine(
  registry: LineRegistry,
  user: LineUser,
  name: string,
  param: string,
): Promise<Line> {
  const line = await registry.find(lineName(name, param));
  const isThere = line?.isSandbox || line?.accountRef === user.accountRef;
  if (!line || !isThere) throw new ApiError('line_not_found', { param });
  if (!mayUse(user, line)) throw new ApiError('line_not_accessible', { param });
  return line;
}

function lineName(text: string, param: string): string {
  const name = hasPrefix('line', text) ? text : normaliseHandle(text);
  if (name !== null) return name;
  const message = `"${param}" must be a line's handle (E.164 or e-mail) or its ln_ id.`;
  throw new ApiError('invalid_parameter_value', { param, message });
}
