/** What the outbox does for a running line: settles what a predecessor left, sends, and fetches what is to be sent. */
import type { LineOutbox } from '../lines/supervisor.ts';
import { type FetchLaneDeps, startFetchLane } from './fetch-lane.ts';
import { type ReconcileDeps, reconcile } from './reconcile.ts';
import { type OutboxWorkerDeps, startOutboxWorker } from './worker.ts';

export function createLineOutbox(deps: OutboxWorkerDeps & ReconcileDeps & FetchLaneDeps): LineOutbox {
  return {
    reconcile: (line, lease, driver) => reconcile(deps, line.ref, lease, driver),
    start(line, lease, driver) {
      const sending = startOutboxWorker(deps, line, lease, driver);
      const fetching = startFetchLane(deps, line, lease, driver);
      return {
        ...sending,
        ended: Promise.race([sending.ended, fetching.ended]),
        async stop() {
          await Promise.all([sending.stop(), fetching.stop()]);
        },
      };
    },
  };
}
