/** Making a key for a caller: it may never do more, reach further or live longer than the key that asked for it. */
import type { Clock } from '../clock.ts';
import { ApiError } from '../domain/errors.ts';
import type { Ids } from '../domain/ids.ts';
import { API_SCOPES, isScope, SCOPES, type Scope } from '../domain/scopes.ts';
import { createKeys } from '../store/accounts.ts';
import type { Engine } from '../store/database.ts';
import { findKeyByRef, type KeyRecord } from '../store/keys.ts';
import type { Ticket } from '../store/ticket.ts';
import type { Writer } from '../store/writer.ts';
import type { Caller } from './authenticate.ts';
import { displayPrefix, hashKey, makeKey } from './keys.ts';

export interface IssueKeyDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
  /** What a key may spend in an hour where nothing else is said. */
  readonly rateLimitPerHour: number;
}

/** What is left out is as wide as the caller's own, the extra scopes excepted. */
export interface KeyRequest {
  readonly name: string;
  readonly scopes: readonly string[] | undefined;
  /** Lines that the caller may use. */
  readonly lines: readonly { readonly ref: number; readonly id: string }[] | null;
  readonly expiresAt: number | undefined;
  readonly rateLimitPerHour: number | undefined;
}

/** A key that is made: the key itself is kept nowhere. */
export interface IssuedKey {
  readonly record: Omit<KeyRecord, 'ref'>;
  readonly key: string;
}

/** `ticketFor` is told of the key before it is made, so that the answer can be kept with it. Throws the refusal. */
export async function issueKey(
  deps: IssueKeyDeps,
  caller: Caller,
  request: KeyRequest,
  ticketFor: (issued: IssuedKey) => Ticket,
): Promise<IssuedKey> {
  const own = await findKeyByRef(deps.engine, caller.keyRef);
  if (!own) throw new ApiError('invalid_api_key');
  const now = deps.clock.now();
  const scopes = scopesFor(caller, request.scopes);
  const expiresAt = expiryFor(own, request.expiresAt, now);
  const rateLimitPerHour = rateLimitFor(own, request.rateLimitPerHour, deps.rateLimitPerHour);
  const lines = linesFor(caller, request.lines);
  const key = makeKey(deps.randomBytes);
  const shared = { id: deps.ids.make('key'), name: request.name, prefix: displayPrefix(key), scopes, expiresAt };
  const lineIds = lines === null ? null : lines.map((line) => line.id);
  const record = { ...shared, lineIds, rateLimitPerHour, lastUsedAt: null, revokedAt: null, createdAt: now };
  const lineRefs = lines === null ? null : lines.map((line) => line.ref);
  const { accountRef } = caller;
  const item = { ...shared, accountRef, hash: hashKey(key), lineRefs, rateLimitPerHour, now };
  await deps.writer.write(createKeys, item, ticketFor({ record, key }));
  return { record, key };
}

function scopesFor(caller: Caller, names: readonly string[] | undefined): readonly Scope[] {
  if (names === undefined) {
    const scopes = API_SCOPES.filter((scope) => caller.scopes.has(scope));
    if (scopes.length > 0) return scopes;
    const message = "The 'scopes' field is required: this API key has no scope that a new key gets by itself.";
    throw new ApiError('missing_required_parameter', { param: 'scopes', message });
  }
  if (!names.every(isScope)) throw invalid('scopes', `must name scopes only; there are ${SCOPES.join(', ')}`);
  const lacking = names.find((name) => isScope(name) && !caller.scopes.has(name));
  if (lacking !== undefined) {
    const message = `This API key lacks the scope '${lacking}', so it cannot give it to another.`;
    throw new ApiError('insufficient_scope', { message });
  }
  return SCOPES.filter((scope) => names.includes(scope));
}

function expiryFor(own: KeyRecord, asked: number | undefined, now: number): number | null {
  if (asked === undefined) return own.expiresAt;
  if (asked <= now) throw invalid('expires_at', 'must be in the future, in Unix milliseconds');
  if (own.expiresAt !== null && asked > own.expiresAt) {
    throw invalid('expires_at', `must not be later than the expiry of the key that asks, ${own.expiresAt}`);
  }
  return asked;
}

/** A key that was given less than others hands on no more than it has. */
function rateLimitFor(own: KeyRecord, asked: number | undefined, usual: number): number {
  const most = own.rateLimitPerHour < usual ? own.rateLimitPerHour : null;
  if (asked === undefined) return most ?? usual;
  if (most !== null && asked > most) {
    throw invalid('rate_limit_per_hour', `must not be above the limit of the key that asks, ${most}`);
  }
  return asked;
}

function linesFor(caller: Caller, lines: KeyRequest['lines']): KeyRequest['lines'] {
  if (lines === null && caller.lineRefs !== null) {
    const message = 'This API key is limited to some lines: name in "line_ids" which of them the new key may use.';
    throw new ApiError('line_not_accessible', { param: 'line_ids', message });
  }
  return lines;
}

function invalid(param: string, why: string): ApiError {
  return new ApiError('invalid_parameter_value', { param, message: `The '${param}' field ${why}.` });
}
