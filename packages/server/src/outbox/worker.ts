/**
 * One line's lane: claims its items in the order of their acceptance, hands them to the driver, and writes down what
 * became of each. Runs where the line's lease is held, and stops handing over the moment that lease is in doubt.
 */
import type { LineDriver } from '@trunkline/drivers';
import type { Clock } from '../clock.ts';
import type { ReachFailpoint } from '../domain/failpoint.ts';
import type { Line } from '../domain/line.ts';
import type { HeldLease } from '../leases/held-lease.ts';
import type { LineWorker } from '../lines/supervisor.ts';
import type { Engine } from '../store/database.ts';
import { outboxTopic } from '../store/outbox.ts';
import { type ClaimedItem, claimItems, type Outcome, settleItems } from '../store/outbox-lane.ts';
import { nextRetryAt } from '../store/outbox-under-way.ts';
import type { Writer } from '../store/writer.ts';
import { commandOf, outcomeOf } from './command.ts';
import { createEchoWait, type EchoWait } from './echo-wait.ts';
import { createSleeper, type Sleeper } from './sleeper.ts';

/** How long an idle lane sleeps when nothing wakes it: the poll behind the wake-ups. */
const POLL_MS = 1_000;
/** Claimed beyond what may be under way, so that a chain of one chat need not wait for a commit each. */
const CLAIM_MAX = 64;
/** How long a lane that ends waits for hand-overs that are under way. With the deliverer's it fits into a stop. */
const FINISH_WITHIN_MS = 5_000;

export interface OutboxWorkerDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly failpoint: ReachFailpoint;
}

export function startOutboxWorker(
  deps: OutboxWorkerDeps,
  line: Line,
  lease: HeldLease,
  driver: LineDriver,
): LineWorker {
  const lane = new OutboxLane(deps, line, lease, driver);
  const ended = lane.run();
  return {
    setOnline: (online) => lane.setOnline(online),
    setPace: (paceMs) => lane.setPace(paceMs),
    handedOverAt: (id) => lane.echoes.handedOverAt(id),
    echoed: (ids) => lane.echoes.arrived(ids),
    stop: async () => {
      lane.stop();
      await ended;
    },
    ended,
  };
}

class OutboxLane {
  readonly echoes: EchoWait;
  readonly #deps: OutboxWorkerDeps;
  readonly #line: Line;
  readonly #lease: HeldLease;
  readonly #driver: LineDriver;
  /** Claimed items by chat, in order; the first of each is under way. */
  readonly #chats = new Map<string, ClaimedItem[]>();
  readonly #work = new Set<Promise<void>>();
  readonly #sleeper: Sleeper;
  #claimed = 0;
  #online = false;
  #stopping = false;
  #failure: Error | null = null;
  #paceMs: number;
  #lastClaimAt = Number.NEGATIVE_INFINITY;

  constructor(deps: OutboxWorkerDeps, line: Line, lease: HeldLease, driver: LineDriver) {
    this.#deps = deps;
    this.#line = line;
    this.#paceMs = line.paceMs;
    this.#lease = lease;
    this.#driver = driver;
    this.#sleeper = createSleeper(deps.clock);
    this.echoes = createEchoWait(deps.clock, (item, guid, at) =>
      this.#settle(item, { state: 'handed_over', guid, at }),
    );
  }

  setOnline(online: boolean): void {
    this.#online = online;
    this.#sleeper.wake();
  }

  setPace(paceMs: number): void {
    this.#paceMs = paceMs;
    this.#sleeper.wake();
  }

  stop(): void {
    this.#stopping = true;
    this.#sleeper.wake();
  }

  async run(): Promise<Error | null> {
    const stopListening = this.#deps.engine.onWake((topic) => {
      if (topic === outboxTopic(this.#line.ref)) this.#sleeper.wake();
    });
    void this.#lease.ended.then(() => this.stop());
    void this.#driver.stopped.then(() => this.stop());
    try {
      while (!this.#stopping) await this.#claimOnce();
    } catch (error) {
      this.#fail(error);
    }
    stopListening();
    await this.#finish();
    return this.#failure;
  }

  /** What is under way may finish for a while; what does not stays `sending`, and its line is asked about it. */
  async #finish(): Promise<void> {
    try {
      let cancel: () => void = () => undefined;
      const tooLong = new Promise<void>((resolve) => {
        cancel = this.#deps.clock.after(FINISH_WITHIN_MS, resolve);
      });
      await Promise.race([Promise.all(this.#work), tooLong]);
      cancel();
      await this.echoes.close();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Claims what there is room for and starts it, or sleeps until there may be something. */
  async #claimOnce(): Promise<void> {
    const sleep = this.#sleeper.prepare();
    const limit = this.#room();
    if (limit <= 0) return sleep(this.#pause());
    const { writer, clock, failpoint } = this.#deps;
    const request = { claim: this.#lease.claim, lineRef: this.#line.ref, limit, now: clock.now() };
    const items = await writer.write(claimItems, request);
    if (items === 'fenced') return this.#lease.lose();
    await failpoint('claim.committed');
    if (items.length === 0) return this.#stopping ? undefined : sleep(await this.#untilNextRetry());
    this.#lastClaimAt = clock.monotonic();
    for (const item of items) this.#begin(item);
  }

  #room(): number {
    if (!this.#online || !this.#lease.isHeld()) return 0;
    if (this.#paceMs > 0) return this.#claimed === 0 && this.#untilPace() <= 0 ? 1 : 0;
    return Math.min(this.#driver.inFlight, CLAIM_MAX) - this.#claimed;
  }

  #untilPace(): number {
    return this.#lastClaimAt + this.#paceMs - this.#deps.clock.monotonic();
  }

  #pause(): number {
    return this.#online && this.#untilPace() > 0 ? Math.min(this.#untilPace(), POLL_MS) : POLL_MS;
  }

  async #untilNextRetry(): Promise<number> {
    const at = await nextRetryAt(this.#deps.engine, this.#line.ref);
    return at === null ? POLL_MS : Math.min(POLL_MS, Math.max(1, at - this.#deps.clock.now()));
  }

  /** Items of one chat go one after another; chats go side by side. */
  #begin(item: ClaimedItem): void {
    this.#claimed++;
    const chain = this.#chats.get(item.recipient);
    if (chain) {
      chain.push(item);
      return;
    }
    this.#chats.set(item.recipient, [item]);
    this.#track(this.#runChat(item.recipient));
  }

  async #runChat(recipient: string): Promise<void> {
    const chain = this.#chats.get(recipient) ?? [];
    for (let item = chain[0]; item; item = chain[0]) {
      const goesOn = await this.#handOver(item).catch((error: unknown) => this.#fail(error));
      chain.shift();
      this.#release();
      // Where a pace was set meanwhile, what was claimed without one waits its turn again.
      if (goesOn && this.#paceMs === 0) continue;
      for (const behind of chain.splice(0)) {
        await this.#settle(behind, { state: 'returned' });
        this.#release();
      }
    }
    this.#chats.delete(recipient);
  }

  #release(): void {
    this.#claimed--;
    this.#sleeper.wake();
  }

  /** Says whether the chat's next item may follow. */
  async #handOver(item: ClaimedItem): Promise<boolean> {
    if (this.#stopping) {
      await this.#settle(item, { state: 'returned' });
      return false;
    }
    await this.#deps.failpoint('hand_over.before');
    // The last look at the clock: a holder that was frozen past its lease must not hand over.
    if (!this.#lease.isHeld()) return false;
    this.echoes.expect(item.id);
    const disposition = await this.#driver.send(commandOf(item));
    await this.#deps.failpoint('hand_over.after');
    if (disposition.state === 'sent' || disposition.state === 'accepted') {
      this.echoes.handedOver(item, disposition.state === 'sent' ? disposition.guid : null);
      return true;
    }
    this.echoes.forget(item.id);
    await this.#settle(item, outcomeOf(disposition));
    return disposition.state !== 'not_started';
  }

  async #settle(item: ClaimedItem, outcome: Outcome): Promise<void> {
    await this.#deps.failpoint('settle.before_commit');
    const result = await this.#deps.writer.write(settleItems, {
      claim: this.#lease.claim,
      lineRef: this.#line.ref,
      ref: item.ref,
      handOver: item.handOver,
      outcome,
      now: this.#deps.clock.now(),
    });
    if (result === 'fenced') this.#lease.lose();
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => void this.#fail(error))
      .finally(() => {
        this.#work.delete(tracked);
      });
    this.#work.add(tracked);
  }

  /**
   * What the driver or the store threw leaves the item `sending`: the next start of the line asks about it. What was
   * claimed behind it was never handed over and goes back.
   */
  #fail(error: unknown): false {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.stop();
    return false;
  }
}
