/**
 * Attempts after the first, in no order: claimed by row, so that any process may make them, each made once. They take a
 * share of the sockets only while first attempts wait, and a webhook that keeps failing gets one at a time.
 */
import type { Clock } from '../clock.ts';
import type { Engine } from '../store/database.ts';
import { claimRetries, type DueDelivery, extendRetries, nextRetries } from '../store/deliveries.ts';
import type { Writer } from '../store/writer.ts';
import type { Target } from './target.ts';

const RETRIES_MAX = 128;
const RETRIES_WHILE_FIRSTS_WAIT = RETRIES_MAX / 4;
const PER_WEBHOOK = 8;
const PER_FAILING_WEBHOOK = 1;
const CLAIM_MS = 15_000;
const EXTEND_EVERY_MS = 5_000;
const POLL_MS = 1_000;

export interface RetriesDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly targetOf: (webhookRef: number) => Target | undefined;
  readonly firstsWait: () => boolean;
  readonly attempt: (target: Target, delivery: DueDelivery) => Promise<boolean>;
  readonly onError: (error: unknown) => void;
}

export class Retries {
  readonly #deps: RetriesDeps;
  readonly #underWay = new Map<DueDelivery, Promise<void>>();
  readonly #perWebhook = new Map<number, number>();
  /** Webhooks whose last retry failed: they are probed, not flooded. */
  readonly #failing = new Set<number>();
  #stopped = false;
  #claiming = false;
  #again = false;
  #cancelPoll: () => void = () => undefined;
  #cancelExtend: () => void = () => undefined;

  constructor(deps: RetriesDeps) {
    this.#deps = deps;
    this.#extendLater();
  }

  wake(): void {
    if (this.#stopped) return;
    if (this.#claiming) {
      this.#again = true;
      return;
    }
    this.#claiming = true;
    void this.#claim();
  }

  /** The webhook is not served any more. */
  forget(webhookRef: number): void {
    this.#failing.delete(webhookRef);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelPoll();
    this.#cancelExtend();
    await Promise.all(this.#underWay.values());
  }

  /** Whether an attempt for the webhook is under way. */
  isBusyWith(webhookRef: number): boolean {
    return this.#perWebhook.has(webhookRef);
  }

  async #claim(): Promise<void> {
    let wait = POLL_MS;
    try {
      do {
        this.#again = false;
        wait = await this.#claimOnce();
      } while (this.#again && !this.#stopped);
    } catch (error) {
      this.#deps.onError(error);
    } finally {
      this.#claiming = false;
    }
    this.#cancelPoll();
    if (!this.#stopped) this.#cancelPoll = this.#deps.clock.after(wait, () => this.wake());
  }

  /** Starts what is due and has room. Gives the milliseconds until something may be due again. */
  async #claimOnce(): Promise<number> {
    const { engine, writer, clock } = this.#deps;
    const now = clock.now();
    let soonest = now + POLL_MS;
    for (const { webhookRef, dueAt } of await nextRetries(engine)) {
      const target = this.#deps.targetOf(webhookRef);
      if (!target || this.#stopped) continue;
      if (dueAt > now) {
        soonest = Math.min(soonest, dueAt);
        continue;
      }
      const max = Math.min(this.#roomOf(webhookRef), this.#room());
      if (max <= 0) continue;
      const claimed = await writer.write(claimRetries, { webhookRef, now, until: now + CLAIM_MS, max });
      // What was claimed while the process began to stop is left to whoever claims it next.
      if (this.#stopped) break;
      for (const delivery of claimed) this.#start(target, delivery);
    }
    return Math.max(1, soonest - clock.now());
  }

  #room(): number {
    const max = this.#deps.firstsWait() ? RETRIES_WHILE_FIRSTS_WAIT : RETRIES_MAX;
    return max - this.#underWay.size;
  }

  #roomOf(webhookRef: number): number {
    const max = this.#failing.has(webhookRef) ? PER_FAILING_WEBHOOK : PER_WEBHOOK;
    return max - (this.#perWebhook.get(webhookRef) ?? 0);
  }

  #start(target: Target, delivery: DueDelivery): void {
    const { webhookRef } = delivery;
    this.#perWebhook.set(webhookRef, (this.#perWebhook.get(webhookRef) ?? 0) + 1);
    const work = this.#deps
      .attempt(target, delivery)
      .then(
        (succeeded) => {
          if (succeeded) this.#failing.delete(webhookRef);
          else this.#failing.add(webhookRef);
        },
        (error: unknown) => this.#deps.onError(error),
      )
      .finally(() => {
        this.#underWay.delete(delivery);
        const left = (this.#perWebhook.get(webhookRef) ?? 1) - 1;
        if (left > 0) this.#perWebhook.set(webhookRef, left);
        else this.#perWebhook.delete(webhookRef);
        this.wake();
      });
    this.#underWay.set(delivery, work);
  }

  /** A receiver may take as long as a claim lasts: what is under way stays claimed. */
  #extendLater(): void {
    this.#cancelExtend = this.#deps.clock.after(EXTEND_EVERY_MS, () => {
      const until = this.#deps.clock.now() + CLAIM_MS;
      const extensions = [...this.#underWay.keys()].map(({ webhookRef, eventSeq }) =>
        this.#deps.writer.write(extendRetries, { webhookRef, eventSeq, until }),
      );
      Promise.all(extensions).catch(this.#deps.onError);
      if (!this.#stopped) this.#extendLater();
    });
  }
}
