/** A lease as its holder sees it: held while renewals succeed, lost by its own clock before anybody else may take it. */
import type { Clock } from '../clock.ts';
import { acquireLeases, type Claim, releaseLeases, renewLeases } from '../store/leases.ts';
import type { Writer } from '../store/writer.ts';

export const LEASE_MS = 12_000;
const RENEW_EVERY_MS = 3_000;

export interface HeldLease {
  readonly claim: Claim;
  /** Checked just before anything that cannot be undone. False from a deadline before the lease runs out. */
  isHeld(): boolean;
  /** Resolves when it is lost, released or run out. */
  readonly ended: Promise<void>;
  /** Gives it up early, so that a successor need not wait. */
  release(): Promise<void>;
  /** A write said that another holds it now. */
  lose(): void;
}

export interface LeaseDeps {
  readonly writer: Writer;
  readonly clock: Clock;
  /** Names this process. */
  readonly holder: string;
}

/** Takes the lane if it is free; null while another holds it. */
export async function takeLease(deps: LeaseDeps, lane: string): Promise<HeldLease | null> {
  const { writer, clock, holder } = deps;
  const askedAt = clock.monotonic();
  const fence = await writer.write(acquireLeases, { name: lane, holder, ms: LEASE_MS });
  if (fence === null) return null;

  const lease = { name: lane, holder, fence };
  let deadline = askedAt + LEASE_MS;
  let over = false;
  let end: () => void = () => undefined;
  let cancel: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });

  function lose(): void {
    if (over) return;
    over = true;
    cancel();
    end();
  }

  async function renew(): Promise<void> {
    const renewedAt = clock.monotonic();
    if (renewedAt >= deadline) return lose();
    try {
      const still = await writer.write(renewLeases, { ...lease, ms: LEASE_MS });
      if (!still) return lose();
      deadline = renewedAt + LEASE_MS;
    } catch {
      // The database is away: the lease may still be renewed until its deadline, which decides.
      if (clock.monotonic() >= deadline) return lose();
    }
    renewLater();
  }

  function renewLater(): void {
    if (!over) cancel = clock.after(RENEW_EVERY_MS, () => void renew());
  }

  renewLater();
  return {
    claim: { lane, fence },
    isHeld: () => !over && clock.monotonic() < deadline,
    ended,
    lose,
    async release() {
      if (over) return;
      lose();
      await writer.write(releaseLeases, lease);
    },
  };
}
