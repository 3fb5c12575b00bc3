/**
 * One webhook's first attempts, in the order of their events: one under way per chat, many chats side by side. A slow
 * answer holds up its own chat for a moment and other webhooks never; what fails becomes a retry, which is not ours.
 */
import type { Clock } from '../clock.ts';
import type { Engine } from '../store/database.ts';
import { type DueDelivery, readNewDeliveries } from '../store/deliveries.ts';
import { SOCKETS_MAX } from './target.ts';

const CHATS_MAX = 16;
/** After this long the chat's next event starts although the one before has not been answered. */
const NEXT_AFTER_MS = 2_000;
/** Attempts that ended and are not committed yet: a crash repeats at most so many. */
const UNRECORDED_MAX = 256;
const READ_MAX = 128;
const BUFFER_MAX = 512;

export interface LaneDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Makes one attempt, says when the receiver has answered, and resolves when the outcome is committed. */
  readonly attempt: (delivery: DueDelivery, answered: () => void) => Promise<unknown>;
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
  #posting = 0;
  #reading = false;
  /** The store may hold rows after the last one read. */
  #mayBeMore = false;
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
    this.#mayBeMore = true;
    this.#readOn();
  }

  /** Starts nothing more, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#chats.clear();
    this.#buffered = 0;
    await Promise.all(this.#work);
  }

  #readOn(): void {
    if (this.#stopped || this.#reading || !this.#mayBeMore || this.#buffered >= BUFFER_MAX / 2) return;
    this.#reading = true;
    void this.#read();
  }

  async #read(): Promise<void> {
    try {
      while (this.#mayBeMore && this.#buffered < BUFFER_MAX) {
        this.#mayBeMore = false;
        const rows = await readNewDeliveries(this.#deps.engine, this.#webhookRef, this.#after, READ_MAX);
        if (this.#stopped) return;
        for (const row of rows) this.#take(row);
        if (rows.length === READ_MAX) this.#mayBeMore = true;
        this.#pump();
      }
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
      if (!this.#hasRoom()) return;
      if (queue.busy) continue;
      const next = queue.due.shift();
      if (next) this.#start(queue, next);
      else this.#chats.delete(chatRef);
    }
  }

  #hasRoom(): boolean {
    if (this.#stopped || this.#work.size >= UNRECORDED_MAX) return false;
    return this.#busyChats < CHATS_MAX && this.#posting < SOCKETS_MAX;
  }

  #start(queue: ChatQueue, delivery: DueDelivery): void {
    this.#buffered--;
    this.#busyChats++;
    this.#posting++;
    queue.busy = true;
    const freeChat = once(() => {
      queue.busy = false;
      this.#busyChats--;
      this.#goOn();
    });
    const cancel = this.#deps.clock.after(NEXT_AFTER_MS, freeChat);
    const answered = once(() => {
      cancel();
      this.#posting--;
      freeChat();
    });
    const work = this.#deps
      .attempt(delivery, answered)
      .then(
        () => undefined,
        (error: unknown) => this.#deps.onError(error),
      )
      .finally(() => {
        this.#work.delete(work);
        answered();
        this.#goOn();
      });
    this.#work.add(work);
  }

  #goOn(): void {
    this.#pump();
    this.#readOn();
  }
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
