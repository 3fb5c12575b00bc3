/**
 * One webhook's first attempts, in the order of their events: one under way per chat, many chats side by side. A slow
 * answer holds up its own chat for a moment and other webhooks never; what fails becomes a retry, which is not ours.
 */
import type { Clock } from '../clock.ts';
import type { Engine } from '../store/database.ts';
import { type DueDelivery, readNewDeliveries } from '../store/deliveries.ts';

export const CHATS_MAX = 16;
export const SOCKETS_MAX = 32;
/** After this long the chat's next event starts although the one before has not been answered. */
const NEXT_AFTER_MS = 2_000;
const READ_MAX = 128;
const BUFFER_MAX = 512;

export interface LaneDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Makes one attempt and resolves when its outcome is committed. */
  readonly attempt: (delivery: DueDelivery) => Promise<unknown>;
  /** Something could not be written or read: the lane ends, and its rows stay new. */
  readonly onError: (error: unknown) => void;
}

interface ChatQueue {
  readonly due: DueDelivery[];
  busy: boolean;
}

export class WebhookLane {
  readonly #deps: LaneDeps;
  readonly #webhookRef: number;
  readonly #chats = new Map<number | null, ChatQueue>();
  readonly #work = new Set<Promise<void>>();
  #after = 0;
  #buffered = 0;
  #busyChats = 0;
  #reading = false;
  #readAgain = false;
  #stopped = false;

  constructor(deps: LaneDeps, webhookRef: number) {
    this.#deps = deps;
    this.#webhookRef = webhookRef;
  }

  get isIdle(): boolean {
    return this.#buffered === 0 && this.#work.size === 0 && !this.#reading;
  }

  /** Whether first attempts wait for a socket. */
  get isWaiting(): boolean {
    return this.#buffered > 0;
  }

  /** There may be new rows. */
  wake(): void {
    if (this.#stopped || this.#buffered >= BUFFER_MAX) return;
    if (this.#reading) {
      this.#readAgain = true;
      return;
    }
    this.#reading = true;
    void this.#read();
  }

  /** Starts nothing more, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#chats.clear();
    this.#buffered = 0;
    await Promise.all(this.#work);
  }

  async #read(): Promise<void> {
    try {
      do {
        this.#readAgain = false;
        const rows = await readNewDeliveries(this.#deps.engine, this.#webhookRef, this.#after, READ_MAX);
        if (this.#stopped) return;
        for (const row of rows) this.#take(row);
        if (rows.length === READ_MAX && this.#buffered < BUFFER_MAX) this.#readAgain = true;
        this.#pump();
      } while (this.#readAgain);
    } catch (error) {
      this.#deps.onError(error);
    } finally {
      this.#reading = false;
    }
  }

  #take(row: DueDelivery): void {
    this.#after = row.eventSeq;
    const queue = this.#chats.get(row.chatRef) ?? { due: [], busy: false };
    queue.due.push(row);
    this.#chats.set(row.chatRef, queue);
    this.#buffered++;
  }

  #pump(): void {
    for (const [chatRef, queue] of this.#chats) {
      if (this.#stopped || this.#busyChats >= CHATS_MAX || this.#work.size >= SOCKETS_MAX) return;
      if (queue.busy) continue;
      const next = queue.due.shift();
      if (next) this.#start(queue, next);
      else this.#chats.delete(chatRef);
    }
  }

  #start(queue: ChatQueue, delivery: DueDelivery): void {
    this.#buffered--;
    this.#busyChats++;
    queue.busy = true;
    const free = () => {
      if (!queue.busy || freed) return;
      freed = true;
      queue.busy = false;
      this.#busyChats--;
      this.#pump();
      if (this.#buffered < BUFFER_MAX / 2) this.wake();
    };
    let freed = false;
    const cancel = this.#deps.clock.after(NEXT_AFTER_MS, free);
    const work = this.#deps
      .attempt(delivery)
      .then(
        () => undefined,
        (error: unknown) => this.#deps.onError(error),
      )
      .finally(() => {
        cancel();
        this.#work.delete(work);
        free();
        this.#pump();
      });
    this.#work.add(work);
  }
}
