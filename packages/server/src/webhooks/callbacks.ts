/** Called as a send that names a callback is accepted, so that word of it finds its way. */
import type { Clock } from '../clock.ts';
import type { Ids } from '../domain/ids.ts';
import { originOf } from '../domain/webhook.ts';
import { ensureCallbacks, isCallbackEnsured } from '../store/callbacks.ts';
import type { Engine } from '../store/database.ts';
import type { Writer } from '../store/writer.ts';

export interface CallbackDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** The guard has been asked about the URL before. Nearly always there is nothing to write. */
export async function ensureCallback(deps: CallbackDeps, accountRef: number, url: string): Promise<void> {
  const origin = originOf(url);
  if (origin === null || (await isCallbackEnsured(deps.engine, accountRef, origin))) return;
  const item = { id: deps.ids.make('webhook'), accountRef, origin, now: deps.clock.now() };
  await deps.writer.write(ensureCallbacks, item);
}
