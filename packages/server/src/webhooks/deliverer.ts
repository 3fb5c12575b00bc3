/** Serves every webhook: a lane for first attempts, leased so that one process keeps its order, and the retries. */
import type { SecretBox } from '../domain/secret-box.ts';
import { webhookLane } from '../domain/webhook.ts';
import type { HeldLease, LeaseDeps } from '../leases/held-lease.ts';
import { takeLease } from '../leases/held-lease.ts';
import type { Log } from '../log.ts';
import type { NetworkGuard } from '../network/guard.ts';
import type { Engine } from '../store/database.ts';
import { RETRIES_TOPIC, readWebhooksWithNew } from '../store/deliveries.ts';
import { readActiveWebhooks, type StoredWebhook, WEBHOOKS_TOPIC } from '../store/webhooks.ts';
import { type AttemptDeps, attemptOnce } from './attempt.ts';
import { WebhookLane } from './lane.ts';
import { RetiredReceivers } from './retired-receivers.ts';
import { Retries } from './retries.ts';
import { openTarget, renewTarget, type Target } from './target.ts';

const POLL_MS = 1_000;
/** A lane without work is given up after this, for another process to take; so is what is held for a callback. */
const IDLE_RELEASE_MS = 30_000;
/** How long a stop waits for receivers to answer; what is cut off then is due as before. */
const FINISH_WITHIN_MS = 3_000;

export interface DelivererDeps extends Omit<AttemptDeps, 'cutOff'>, LeaseDeps {
  readonly engine: Engine;
  readonly log: Log;
  readonly guard: NetworkGuard;
  readonly secrets: SecretBox;
}

export interface Deliverer {
  stop(): Promise<void>;
}

interface Served {
  target: Target;
  lane: WebhookLane | null;
  lease: HeldLease | null;
  taking: boolean;
  /** Not before this is a lane that another process holds asked for again. Monotonic milliseconds. */
  takeAgainAt: number;
  /** Monotonic milliseconds. */
  idleSince: number;
}

export async function startDeliverer(deps: DelivererDeps): Promise<Deliverer> {
  const deliverer = new WebhookDeliverer(deps);
  await deliverer.start();
  return deliverer;
}

class WebhookDeliverer implements Deliverer {
  readonly #deps: DelivererDeps;
  readonly #served = new Map<number, Served>();
  readonly #retries: Retries;
  readonly #retired: RetiredReceivers;
  readonly #cutOff = new AbortController();
  readonly #attemptDeps: AttemptDeps;
  #stopped = false;
  #stopListening: () => void = () => undefined;
  #cancelPoll: () => void = () => undefined;
  #refreshing: Promise<void> | null = null;
  /** Somebody asked for a refresh while one was under way, which may have looked before that. */
  #refreshAgain = false;

  constructor(deps: DelivererDeps) {
    this.#deps = deps;
    this.#retired = new RetiredReceivers(deps.clock);
    this.#attemptDeps = { ...deps, cutOff: this.#cutOff.signal };
    this.#retries = new Retries({
      engine: deps.engine,
      writer: deps.writer,
      clock: deps.clock,
      targetOf: (ref) => this.#served.get(ref)?.target,
      firstsWait: () => [...this.#served.values()].some((served) => served.lane?.isWaiting),
      attempt: (target, delivery) => attemptOnce(this.#attemptDeps, target, delivery),
      onError: (error) => this.#logError(error),
    });
  }

  async start(): Promise<void> {
    this.#stopListening = this.#deps.engine.onWake((topic) => this.#onWake(topic));
    await this.#refresh();
    this.#poll();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening();
    this.#cancelPoll();
    await this.#refreshing;
    const receivers = [...this.#served.values()].map((served) => served.target.receiver);
    const cancel = this.#deps.clock.after(FINISH_WITHIN_MS, () => {
      this.#cutOff.abort();
      for (const receiver of receivers) void receiver.close();
      void this.#retired.close();
    });
    await Promise.all([this.#retries.stop(), ...[...this.#served.keys()].map((ref) => this.#drop(ref))]);
    await this.#retired.close();
    cancel();
  }

  #onWake(topic: string): void {
    if (topic === RETRIES_TOPIC) this.#retries.wake();
    else if (topic === WEBHOOKS_TOPIC) this.#refreshLater();
    else if (topic.startsWith('webhook ')) this.#wakeLane(Number(topic.slice('webhook '.length)));
    else if (topic.startsWith('webhook-gone ')) void this.#drop(Number(topic.slice('webhook-gone '.length)));
  }

  /** The safety net behind the wake-ups, and how a dead neighbour's lanes are found. */
  #poll(): void {
    this.#refreshLater();
    this.#retries.wake();
    this.#releaseIdle();
    if (!this.#stopped) this.#cancelPoll = this.#deps.clock.after(POLL_MS, () => this.#poll());
  }

  #refreshLater(): void {
    if (this.#stopped) return;
    this.#refreshAgain = this.#refreshing !== null;
    this.#refreshing ??= this.#refresh()
      .catch((error: unknown) => this.#logError(error))
      .finally(() => {
        this.#refreshing = null;
        if (this.#refreshAgain) this.#refreshLater();
      });
  }

  async #refresh(): Promise<void> {
    const active = await readActiveWebhooks(this.#deps.engine, this.#callbacksInUse());
    const refs = new Set(active.map((webhook) => webhook.ref));
    for (const ref of this.#served.keys()) if (!refs.has(ref)) void this.#drop(ref);
    for (const webhook of active) this.#serve(webhook);
    // One that could not be served is tried again with the next refresh, and not at once.
    for (const ref of await readWebhooksWithNew(this.#deps.engine)) if (this.#served.has(ref)) this.#wakeLane(ref);
  }

  #callbacksInUse(): number[] {
    const oldest = this.#deps.clock.monotonic() - IDLE_RELEASE_MS;
    return [...this.#served]
      .filter(([, served]) => served.target.webhook.kind === 'callback' && served.idleSince >= oldest)
      .map(([ref]) => ref);
  }

  /** A webhook whose secret does not open costs its own deliveries and nobody else's. */
  #serve(webhook: StoredWebhook): void {
    try {
      const served = this.#served.get(webhook.ref);
      if (served) {
        const { receiver } = served.target;
        served.target = renewTarget(this.#deps, served.target, webhook);
        if (served.target.receiver !== receiver) this.#retired.add(receiver);
        return;
      }
      const target = openTarget(this.#deps, webhook);
      const idleSince = this.#deps.clock.monotonic();
      this.#served.set(webhook.ref, { target, lane: null, lease: null, taking: false, takeAgainAt: 0, idleSince });
    } catch (error) {
      this.#logError(error);
    }
  }

  #wakeLane(ref: number): void {
    const served = this.#served.get(ref);
    if (!served || this.#stopped) {
      if (!served) this.#refreshLater();
      return;
    }
    if (served.lane && served.lease?.isHeld()) served.lane.wake();
    else if (!served.taking && this.#deps.clock.monotonic() >= served.takeAgainAt) void this.#take(ref, served);
  }

  async #take(ref: number, served: Served): Promise<void> {
    served.taking = true;
    try {
      await served.lane?.stop();
      served.lane = null;
      const lease = await takeLease(this.#deps, webhookLane(ref));
      if (!lease) {
        served.takeAgainAt = this.#deps.clock.monotonic() + POLL_MS;
        return;
      }
      this.#open(ref, served, lease);
    } catch (error) {
      this.#logError(error);
    } finally {
      served.taking = false;
    }
  }

  #open(ref: number, served: Served, lease: HeldLease): void {
    const lane = new WebhookLane(
      {
        engine: this.#deps.engine,
        clock: this.#deps.clock,
        attempt: (delivery, answered) => attemptOnce(this.#attemptDeps, served.target, delivery, answered),
        onError: (error) => {
          this.#logError(error);
          void this.#close(served);
        },
      },
      ref,
    );
    served.lane = lane;
    served.lease = lease;
    served.idleSince = this.#deps.clock.monotonic();
    void lease.ended.then(() => lane.stop());
    if (this.#stopped || this.#served.get(ref) !== served) void this.#close(served);
    else lane.wake();
  }

  #releaseIdle(): void {
    const now = this.#deps.clock.monotonic();
    for (const [ref, served] of this.#served) {
      const isBusy = served.taking || served.lane?.isIdle === false || this.#retries.isBusyWith(ref);
      if (isBusy) served.idleSince = now;
      else if (now - served.idleSince > IDLE_RELEASE_MS && served.lane) void this.#close(served);
    }
  }

  async #close(served: Served): Promise<void> {
    const { lane, lease } = served;
    served.lane = null;
    served.lease = null;
    await lane?.stop();
    await lease?.release().catch((error: unknown) => this.#logError(error));
  }

  /** Nothing more goes to this webhook from here. */
  async #drop(ref: number): Promise<void> {
    const served = this.#served.get(ref);
    if (!served) return;
    this.#served.delete(ref);
    this.#retries.forget(ref);
    await this.#close(served);
    await served.target.receiver.close();
  }

  #logError(error: unknown): void {
    this.#deps.log.error({ err: error }, 'deliveries ran into an error and go on');
  }
}
