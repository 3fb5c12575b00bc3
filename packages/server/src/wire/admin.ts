/** What resources look like in the admin API: snake_case, every key present. Pure. */
import type { Line } from '../domain/line.ts';
import type { Scope } from '../domain/scopes.ts';
import type { Step } from '../domain/walk.ts';

export function keyBody(key: {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  readonly lineIds: readonly string[] | null;
  readonly rateLimitPerHour: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
  readonly createdAt: number;
}) {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    scopes: key.scopes,
    line_ids: key.lineIds,
    rate_limit_per_hour: key.rateLimitPerHour,
    expires_at: key.expiresAt,
    last_used_at: key.lastUsedAt,
    revoked_at: key.revokedAt,
    created_at: key.createdAt,
  };
}

interface AdminLine extends Omit<Line, 'ref'> {
  readonly health: { readonly state: string; readonly reason: string | null; readonly since: number | null };
  readonly createdAt: number;
  readonly removedAt: number | null;
}

export function adminLineBody(line: AdminLine) {
  return {
    id: line.id,
    handle: line.handle,
    label: line.label,
    service: line.service,
    is_active: line.isActive,
    driver: line.kind,
    is_sandbox: line.isSandbox,
    settings: { contact_first: line.contactFirst, pace_ms: line.paceMs },
    health: healthBody(line),
    created_at: line.createdAt,
    removed_at: line.removedAt,
  };
}

/** Where nobody can say how the line is, the reason says why. */
function healthBody({ health, removedAt, isActive }: AdminLine) {
  if (removedAt !== null) return { state: 'unknown', reason: 'The line was removed.', since: null };
  if (!isActive) return { state: 'unknown', reason: 'The line is switched off.', since: null };
  if (health.state !== 'unknown') return { state: health.state, reason: health.reason, since: health.since };
  return { state: 'unknown', reason: 'No running process has said how the line is.', since: null };
}

export function stepBody({ step, at, tookMs, detail }: Step) {
  return { step, at, took_ms: tookMs, detail };
}
