/** `/admin/v1/webhooks`: the account's webhooks, how each fares, and what an operator changes of it. */
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import type { Clock } from '../../clock.ts';
import { ApiError } from '../../domain/errors.ts';
import { hasPrefix } from '../../domain/ids.ts';
import type { SecretBox } from '../../domain/secret-box.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { mayUseRef, resolveOwnLine, usableLineRefs } from '../../lines/resolve.ts';
import type { NetworkGuard } from '../../network/guard.ts';
import type { Engine } from '../../store/database.ts';
import { findWebhookRecord, pageOfWebhooks, type WebhookRecord } from '../../store/webhook-records.ts';
import { rotateSecrets, setWebhooks } from '../../store/webhook-settings.ts';
import type { Writer } from '../../store/writer.ts';
import { adminWebhookBody } from '../../wire/admin.ts';
import { cursorField, invalidValue, limitField, lineField } from '../input.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { list, type Route, route } from '../route.ts';
import {
  makeWebhookSecret,
  refuseBadUrl,
  webhookEventNames,
  webhookEventsField,
  webhookUrlField,
} from '../webhook-fields.ts';

const ofLine = lineField.optional().describe('Only those of this line: its handle or its `ln_` id.');
const HOUR_MS = 3_600_000;
const OVERLAP_HOURS_DEFAULT = 24;
const OVERLAP_HOURS_MAX = 168;

export interface AdminWebhookDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly registry: LineRegistry;
  readonly guard: NetworkGuard;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly secrets: SecretBox;
}

export function adminWebhookRoutes(deps: AdminWebhookDeps): Route[] {
  return [
    route({
      name: 'listAdminWebhooks',
      summary: 'Lists the webhooks of the account, the newest first.',
      answer: 'AdminWebhook[]',
      refusals: ['line_not_found', 'line_not_accessible'],
      method: 'GET',
      path: '/admin/v1/webhooks',
      scope: 'admin',
      query: z.object({ line: ofLine, limit: limitField(), cursor: cursorField }),
      async handle({ caller, query }) {
        const { engine, registry } = deps;
        const line = query.line === undefined ? null : await resolveOwnLine(registry, caller, query.line, 'line');
        const name = `webhooks ${caller.accountRef} ${line?.ref ?? ''}`;
        const place = query.cursor === undefined ? [] : decodeCursor(name, query.cursor, 1);
        const [before = Number.MAX_SAFE_INTEGER] = place;
        const lineRefs = line ? [line.ref] : usableLineRefs(registry, caller);
        const filter = { accountRef: caller.accountRef, lineRefs };
        const rows = await pageOfWebhooks(engine, filter, before, query.limit + 1);
        const page = rows.slice(0, query.limit);
        const last = rows.length > page.length ? page.at(-1) : undefined;
        const now = deps.clock.now();
        return list(
          page.map((webhook) => adminWebhookBody(webhook, now)),
          last ? encodeCursor(name, [last.ref]) : null,
        );
      },
    }),
    route({
      name: 'getAdminWebhook',
      summary: 'Gives one webhook.',
      answer: 'AdminWebhook',
      refusals: ['webhook_not_found'],
      method: 'GET',
      path: '/admin/v1/webhooks/:id',
      params: { id: 'The webhook: its `wh_` id.' },
      scope: 'admin',
      async handle({ caller, params }) {
        return adminWebhookBody(await findVisibleWebhook(deps, caller, params['id'] ?? '', 'id'), deps.clock.now());
      },
    }),
    setRoute(deps),
    rotateRoute(deps),
  ];
}

function setRoute(deps: AdminWebhookDeps): Route {
  return route({
    name: 'setWebhook',
    summary: 'Switches a webhook off or on, or changes its URL or its events.',
    description:
      'What is due to one that is switched off is dropped, and nothing is queued for it until it is active again. Of one that is not of a line only `is_active` can be changed.',
    answer: 'AdminWebhook',
    refusals: ['webhook_not_found'],
    method: 'PATCH',
    path: '/admin/v1/webhooks/:id',
    params: { id: 'The webhook: its `wh_` id.' },
    scope: 'admin',
    body: z.object({
      is_active: z.boolean().optional().describe('Whether it is delivered to.'),
      url: webhookUrlField.optional(),
      events: webhookEventsField.optional(),
    }),
    async handle({ caller, params, body }) {
      const events = body.events === undefined ? null : webhookEventNames(body.events);
      if (body.url !== undefined) await refuseBadUrl(deps.guard, body.url);
      const { id, kind } = await findVisibleWebhook(deps, caller, params['id'] ?? '', 'id');
      if (kind !== 'v1') refuseGivenElsewhere(body);
      const { accountRef } = caller;
      const change = { id, accountRef, url: body.url ?? null, events, isActive: body.is_active ?? null };
      const result = await deps.writer.write(setWebhooks, change);
      if (result === 'line_removed') throw invalidValue('is_active', 'cannot be true: the line was removed');
      if (result === 'not_found') throw webhookNotFound('id');
      return adminWebhookBody(await findVisibleWebhook(deps, caller, id, 'id'), deps.clock.now());
    },
  });
}

function rotateRoute(deps: AdminWebhookDeps): Route {
  return route({
    name: 'rotateWebhookSecret',
    summary: 'Makes a new secret for a webhook.',
    description:
      'It is shown this once. The old one counts beside it for `overlap_hours`, 24 when it is left out; with 0 it ends now.',
    answer: 'AdminWebhookWithSecret',
    refusals: ['webhook_not_found'],
    method: 'POST',
    path: '/admin/v1/webhooks/:id/rotate',
    params: { id: 'The webhook: its `wh_` id.' },
    scope: 'admin',
    isSecret: true,
    body: z.object({
      overlap_hours: z
        .number()
        .int()
        .min(0)
        .max(OVERLAP_HOURS_MAX)
        .optional()
        .describe('How long the old secret counts beside the new one. Left out: 24. With 0 it ends now.'),
    }),
    async handle({ caller, params, body, ticket }) {
      const webhook = await findVisibleWebhook(deps, caller, params['id'] ?? '', 'id');
      const { id, kind } = webhook;
      if (kind !== 'v1') throw invalidValue('id', 'must be a webhook of a line: no other is signed');
      const now = deps.clock.now();
      const overlapMs = (body.overlap_hours ?? OVERLAP_HOURS_DEFAULT) * HOUR_MS;
      const previousEndsAt = overlapMs === 0 ? null : now + overlapMs;
      const secret = makeWebhookSecret(deps.randomBytes);
      const answer = { ...adminWebhookBody({ ...webhook, previousEndsAt }, now), secret };
      const sealedSecret = deps.secrets.seal(secret, id);
      const rotation = { id, accountRef: caller.accountRef, sealedSecret, previousEndsAt };
      if (!(await deps.writer.write(rotateSecrets, rotation, ticket(answer)))) throw webhookNotFound('id');
      return answer;
    },
  });
}

/** The address and the events of such a webhook are those that its account, or its sends, gave. */
function refuseGivenElsewhere(changes: { readonly url?: unknown; readonly events?: unknown }): void {
  const given = (['url', 'events'] as const).find((name) => changes[name] !== undefined);
  if (given !== undefined) throw invalidValue(given, 'can be changed of a webhook of a line only');
}

/** A webhook of the caller's account and of a line that its key may use, or of all lines where it may use all. Throws `webhook_not_found`, with `param`. */
export async function findVisibleWebhook(
  { engine, registry }: Pick<AdminWebhookDeps, 'engine' | 'registry'>,
  caller: Caller,
  id: string,
  param: string,
): Promise<WebhookRecord> {
  // No database can look for a NUL, and nothing has one in its id.
  const isId = hasPrefix('webhook', id) && !id.includes('\0');
  const webhook = isId ? await findWebhookRecord(engine, caller.accountRef, id) : null;
  if (!webhook || !mayUseRef(registry, caller, webhook.lineRef)) throw webhookNotFound(param);
  return webhook;
}

function webhookNotFound(param: string): ApiError {
  return new ApiError('webhook_not_found', { param });
}
