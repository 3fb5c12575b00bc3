/** `/admin/v1/outbox/{id}` and `/admin/v1/messages/{id}`: what happened to one item or message, and when. */
import type { Caller } from '../../access/authenticate.ts';
import { ApiError, type ErrorCode } from '../../domain/errors.ts';
import { hasPrefix, type IdKind } from '../../domain/ids.ts';
import { walkSteps } from '../../domain/walk.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { mayUseRef } from '../../lines/resolve.ts';
import type { Engine } from '../../store/database.ts';
import { findWalkOfItem, findWalkOfMessage, type StoredWalk } from '../../store/walks.ts';
import { stepBody } from '../../wire/admin.ts';
import { type LinkFile, messageBody, outboxItemBody } from '../../wire/v1.ts';
import { type Route, route } from '../route.ts';

export interface WalkDeps {
  readonly engine: Engine;
  readonly registry: LineRegistry;
  readonly linkFile: LinkFile;
}

type Find = (engine: Engine, accountRef: number, id: string) => Promise<StoredWalk | null>;

export function walkRoutes(deps: WalkDeps): Route[] {
  return [
    walkRoute(deps, {
      name: 'getOutboxWalk',
      summary: 'Shows where the time of an outbox item went, step by step.',
      path: '/admin/v1/outbox/:id',
      kind: 'outbox',
      find: findWalkOfItem,
      absent: 'outbox_item_not_found',
    }),
    walkRoute(deps, {
      name: 'getMessageWalk',
      summary: 'Shows where the time of a message went, step by step.',
      path: '/admin/v1/messages/:id',
      kind: 'message',
      find: findWalkOfMessage,
      absent: 'message_not_found',
    }),
  ];
}

interface WalkOf {
  readonly name: string;
  readonly summary: string;
  readonly path: string;
  readonly kind: IdKind;
  readonly find: Find;
  readonly absent: ErrorCode;
}

function walkRoute(deps: WalkDeps, { name, summary, path, kind, find, absent }: WalkOf): Route {
  return route({
    name,
    summary,
    answer: 'Walk',
    params: { id: `The id of the ${kind === 'outbox' ? 'outbox item' : 'message'}.` },
    refusals: [absent],
    method: 'GET',
    path,
    scope: 'admin',
    async handle({ caller, params }) {
      const walk = await findVisible(deps, caller, kind, find, params['id'] ?? '');
      if (!walk) throw new ApiError(absent, { param: 'id' });
      return {
        outbox_item: walk.item && outboxItemBody(walk.item),
        message: walk.message && messageBody(walk.message, deps.linkFile),
        walk: walkSteps(walk.times).map(stepBody),
      };
    },
  });
}

async function findVisible(
  { engine, registry }: WalkDeps,
  caller: Caller,
  kind: IdKind,
  find: Find,
  id: string,
): Promise<StoredWalk | null> {
  // No database can look for a NUL, and nothing has one in its id.
  if (!hasPrefix(kind, id) || id.includes('\0')) return null;
  const walk = await find(engine, caller.accountRef, id);
  return walk && mayUseRef(registry, caller, walk.lineRef) ? walk : null;
}
