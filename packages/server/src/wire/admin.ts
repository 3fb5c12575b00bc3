/** What resources look like in the admin API: snake_case, every key present. Pure. */
import type { DeviceAgent } from '../domain/device.ts';
import type { Line } from '../domain/line.ts';
import type { Scope } from '../domain/scopes.ts';
import type { Step } from '../domain/walk.ts';
import type { Webhook, WebhookKind } from '../domain/webhook.ts';
import { eventBody, webhookBody } from './v1.ts';

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

export function deviceBody(device: {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly lineIds: readonly string[];
  readonly agent: DeviceAgent | null;
  readonly clockOffsetMs: number | null;
  readonly isConnected: boolean;
  readonly connectedAt: number | null;
  readonly disconnectedAt: number | null;
  readonly revokedAt: number | null;
  readonly createdAt: number;
}) {
  return {
    id: device.id,
    name: device.name,
    prefix: device.prefix,
    line_ids: device.lineIds,
    agent: device.agent && { version: device.agent.version, platform: device.agent.platform },
    clock_offset_ms: device.clockOffsetMs,
    is_connected: device.isConnected,
    connected_at: device.connectedAt,
    disconnected_at: device.disconnectedAt,
    revoked_at: device.revokedAt,
    created_at: device.createdAt,
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
    settings: { contact_first: line.contactFirst, opt_out_keywords: line.optOutKeywords, pace_ms: line.paceMs },
    health: healthBody(line),
    created_at: line.createdAt,
    removed_at: line.removedAt,
  };
}

/** Where nobody can say how the line is, the reason says why. */
function healthBody({ health, removedAt, isActive, kind }: AdminLine) {
  if (removedAt !== null) return { state: 'unknown', reason: 'The line was removed.', since: null };
  if (!isActive) return { state: 'unknown', reason: 'The line is switched off.', since: null };
  if (health.state !== 'unknown') return { state: health.state, reason: health.reason, since: health.since };
  // Whoever holds such a line does so while its agent is connected.
  if (kind === 'remote') return { state: 'offline', reason: 'No agent is connected.', since: null };
  return { state: 'unknown', reason: 'No running process has said how the line is.', since: null };
}

export function stepBody({ step, at, tookMs, detail }: Step) {
  return { step, at, took_ms: tookMs, detail };
}

interface AdminWebhook extends Webhook {
  readonly kind: WebhookKind;
  readonly lineHandle: string | null;
  readonly disabledReason: string | null;
  readonly failingSince: number | null;
  readonly previousEndsAt: number | null;
  readonly createdAt: number;
  readonly newest: {
    readonly id: string;
    readonly state: string;
    readonly lastAttemptAt: number | null;
    readonly lastStatus: number | null;
    readonly lastError: string | null;
  } | null;
}

/** A previous secret that has ended by now is none. */
export function adminWebhookBody(webhook: AdminWebhook, now: number) {
  const { newest, previousEndsAt } = webhook;
  return {
    ...webhookBody(webhook),
    kind: webhook.kind,
    line_handle: webhook.lineHandle,
    disabled_reason: webhook.disabledReason,
    failing_since: webhook.failingSince,
    previous_secret_ends_at: previousEndsAt !== null && previousEndsAt > now ? previousEndsAt : null,
    newest_delivery: newest && {
      id: newest.id,
      state: newest.state,
      last_attempt_at: newest.lastAttemptAt,
      last_status: newest.lastStatus,
      last_error: newest.lastError,
    },
    created_at: webhook.createdAt,
  };
}

interface Delivery {
  readonly id: string;
  readonly webhookId: string;
  readonly kind: WebhookKind;
  readonly url: string;
  readonly eventId: string;
  readonly type: string;
  readonly state: string;
  readonly attempts: number;
  readonly dueAt: number;
  readonly lastAttemptAt: number | null;
  readonly lastDurationMs: number | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly resentAt: number | null;
  readonly createdAt: number;
}

export function deliveryBody(delivery: Delivery) {
  const isDue = delivery.state === 'new' || delivery.state === 'retry';
  return {
    id: delivery.id,
    webhook_id: delivery.webhookId,
    kind: delivery.kind,
    url: delivery.url,
    event: delivery.type,
    event_id: delivery.eventId,
    state: delivery.state,
    attempts: delivery.attempts,
    next_attempt_at: isDue ? delivery.dueAt : null,
    last_attempt_at: delivery.lastAttemptAt,
    last_duration_ms: delivery.lastDurationMs,
    last_status: delivery.lastStatus,
    last_error: delivery.lastError,
    resent_at: delivery.resentAt,
    created_at: delivery.createdAt,
  };
}

/**
 * `data` is JSON already. The timestamp of the body is that of the last attempt, or of the delivery before the first. What
 * is told of an item is posted bare.
 */
export function wholeDeliveryBody(delivery: Delivery & { readonly data: string }) {
  const { type, data, id, lastAttemptAt, createdAt, kind } = delivery;
  const posted = kind === 'v1' ? eventBody(type, data, lastAttemptAt ?? createdAt, id) : data;
  const body: unknown = JSON.parse(posted);
  return { ...deliveryBody(delivery), body };
}

export function attemptBody(attempt: {
  readonly attempt: number;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly answer: string | null;
}) {
  return {
    attempt: attempt.attempt,
    started_at: attempt.startedAt,
    duration_ms: attempt.durationMs,
    status: attempt.status,
    error: attempt.error,
    answer: attempt.answer,
  };
}
