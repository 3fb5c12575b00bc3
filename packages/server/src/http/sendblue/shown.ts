/** Which items a caller is shown: those of its account on the lines of its key, and on the shared line its phone's. */
import type { Caller } from '../../access/authenticate.ts';
import { ApiError } from '../../domain/errors.ts';
import type { ListedItem } from '../../domain/listed-item.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { mayUseRef } from '../../lines/resolve.ts';
import type { Engine } from '../../store/database.ts';
import { findNamedItems } from '../../store/listed-item-names.ts';
import { readListedItems } from '../../store/listed-item-rows.ts';
import { readPairedPhone } from '../../store/sandbox-pairings.ts';

export interface ShownDeps {
  readonly engine: Engine;
  readonly registry: LineRegistry;
}

/** The line that all accounts share, where there is one, and the account's phone on it. */
export async function sharedOf({ engine, registry }: ShownDeps, accountRef: number) {
  const line = registry.all().find(({ isSandbox }) => isSandbox);
  if (!line) return null;
  const phone = await readPairedPhone(engine, accountRef, line.ref);
  return { lineRef: line.ref, peer: phone?.handle ?? null };
}

/** By its handle or GUID. Throws `message_not_found`. */
export async function requireItem(deps: ShownDeps, caller: Caller, name: string, param: string): Promise<ListedItem> {
  const refs = await findNamedItems(deps.engine, caller.accountRef, name);
  const items = await readListedItems(deps.engine.readEach, refs);
  const shared = items.length === 0 ? null : await sharedOf(deps, caller.accountRef);
  const isShown = ({ lineRef, peer }: ListedItem) =>
    mayUseRef(deps.registry, caller, lineRef) && (lineRef !== shared?.lineRef || peer === shared.peer);
  const item = items.find(isShown);
  if (!item) throw new ApiError('message_not_found', { param });
  return item;
}
