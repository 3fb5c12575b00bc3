import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { ApiError } from '../../domain/errors.ts';
import { hasPrefix, type Ids } from '../../domain/ids.ts';
import type { SecretBox } from '../../domain/secret-box.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { mayUseRef, resolveLine } from '../../lines/resolve.ts';
import type { NetworkGuard } from '../../network/guard.ts';
import type { Engine } from '../../store/database.ts';
import { createWebhooks, deleteWebhooks, findWebhook, readWebhooksOfLine } from '../../store/webhooks.ts';
import type { Writer } from '../../store/writer.ts';
import { webhookBody } from '../../wire/v1.ts';
import { invalidValue, lineField, nameField } from '../input.ts';
import { list, type Route, route } from '../route.ts';
import {
  makeWebhookSecret,
  refuseBadUrl,
  webhookEventNames,
  webhookEventsField,
  webhookUrlField,
} from '../webhook-fields.ts';

export interface WebhookDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly registry: LineRegistry;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly guard: NetworkGuard;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly secrets: SecretBox;
}

export function webhookRoutes(deps: WebhookDeps): Route[] {
  return [
    route({
      name: 'createWebhook',
      summary: "Makes a receiver of a line's events.",
      description:
        'The `secret` that signs its deliveries is shown this once. The URL is https; addresses inside private networks are refused unless the server is set up to reach them.',
      answer: 'WebhookWithSecret',
      refusals: ['line_not_found', 'line_not_accessible'],
      method: 'POST',
      path: '/v1/webhooks',
      scope: 'webhooks:write',
      status: 201,
      isSecret: true,
      body: z.object({ from: lineField, url: webhookUrlField, events: webhookEventsField }),
      async handle({ caller, body, ticket }) {
        const events = webhookEventNames(body.events);
        await refuseBadUrl(deps.guard, body.url);
        const line = await resolveLine(deps.registry, caller, body.from);
        const id = deps.ids.make('webhook');
        const secret = makeWebhookSecret(deps.randomBytes);
        const item = {
          id,
          accountRef: caller.accountRef,
          lineRef: line.ref,
          url: body.url,
          events,
          sealedSecret: deps.secrets.seal(secret, id),
          now: deps.clock.now(),
        };
        const answer = { ...webhookBody({ id, lineId: line.id, url: body.url, events, isActive: true }), secret };
        const made = await deps.writer.write(createWebhooks, item, ticket(answer));
        if (!made) throw new ApiError('line_not_found', { param: 'from' });
        return answer;
      },
    }),
    route({
      name: 'listWebhooks',
      summary: 'Lists the webhooks of a line.',
      answer: 'Webhook[]',
      refusals: ['line_not_found', 'line_not_accessible'],
      method: 'GET',
      path: '/v1/webhooks',
      scope: 'webhooks:read',
      query: z.object({ from: lineField }),
      async handle({ caller, query }) {
        const line = await resolveLine(deps.registry, caller, query.from);
        const webhooks = await readWebhooksOfLine(deps.engine, caller.accountRef, line.ref);
        return list(webhooks.map(webhookBody));
      },
    }),
    deleteRoute(deps),
  ];
}

function deleteRoute(deps: WebhookDeps): Route {
  return route({
    name: 'deleteWebhook',
    summary: 'Deletes a webhook.',
    description: 'The id is in the body. Nothing more is delivered to it.',
    answer: 'DeletedResponse',
    refusals: ['webhook_not_found'],
    method: 'DELETE',
    path: '/v1/webhooks',
    scope: 'webhooks:write',
    body: z.object({ id: nameField.describe('The webhook: its `wh_` id.') }),
    async handle({ caller, body }) {
      if (!hasPrefix('webhook', body.id)) throw invalidValue('id', 'must be a wh_ id');
      const webhook = await findWebhook(deps.engine, caller.accountRef, body.id);
      if (!webhook || !mayUseRef(deps.registry, caller, webhook.lineRef)) {
        throw new ApiError('webhook_not_found', { param: 'id' });
      }
      const item = { id: body.id, accountRef: caller.accountRef, now: deps.clock.now() };
      const deleted = await deps.writer.write(deleteWebhooks, item);
      if (!deleted) throw new ApiError('webhook_not_found', { param: 'id' });
      return { id: body.id, deleted: true };
    },
  });
}
