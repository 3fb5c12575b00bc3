import { z } from 'zod';
import { ApiError } from '../../domain/errors.ts';
import { hasPrefix } from '../../domain/ids.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { mayUseRef } from '../../lines/resolve.ts';
import type { Engine } from '../../store/database.ts';
import { findOutboxItem } from '../../store/outbox.ts';
import { outboxItemBody } from '../../wire/v1.ts';
import { invalidValue, nameField } from '../input.ts';
import { type Route, route } from '../route.ts';

export function outboxRoutes(deps: { readonly engine: Engine; readonly registry: LineRegistry }): Route[] {
  return [
    route({
      name: 'getOutboxItem',
      summary: 'Says what became of something that was accepted to be sent.',
      description:
        'It goes from `pending` over `claimed` to `sent` or `failed`. `sent` means that it was seen going out on the line; a failed one says why in `error`.',
      answer: 'OutboxItem',
      refusals: ['outbox_item_not_found'],
      method: 'GET',
      path: '/v1/outbox',
      scope: 'outbox:read',
      query: z.object({ id: nameField.describe('The outbox item: its `obx_` id.') }),
      async handle({ caller, query }) {
        if (!hasPrefix('outbox', query.id)) throw invalidValue('id', 'must be an obx_ id');
        const item = await findOutboxItem(deps.engine, caller.accountRef, query.id);
        if (!item || !mayUseRef(deps.registry, caller, item.lineRef)) {
          throw new ApiError('outbox_item_not_found', { param: 'id' });
        }
        return outboxItemBody(item);
      },
    }),
  ];
}
