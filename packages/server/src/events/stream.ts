/**
 * One client's stream: catches up from its cursor by pages, joins the tail without a gap, and leaves it again for the
 * pages when it reads too slowly. Writes are gathered for a moment, so that a thousand readers cost a thousand writes
 * per gathering and not per event.
 */
import type { Clock } from '../clock.ts';
import { EVENTS, isEventType } from '../domain/events.ts';
import type { Scope } from '../domain/scopes.ts';
import type { Engine } from '../store/database.ts';
import { type LoggedEvent, logBounds, readEventsOfAccount } from '../store/events.ts';
import { eventBody } from '../wire/v1.ts';
import { formatCursor } from './cursor.ts';
import type { Tail } from './tail.ts';

const PAGE_MAX = 200;
const GATHER_MS = 25;
const UNSENT_MAX_BYTES = 256 * 1024;
const HEARTBEAT_MS = 15_000;
const RECHECK_MS = 500;

/** What a stream may show, asked again and again: a key can be narrowed, revoked or expire while it reads. */
export interface View {
  readonly accountRef: number;
  readonly scopes: ReadonlySet<Scope>;
  readonly lineRefs: ReadonlySet<number> | null;
}

export interface StreamOptions {
  /** Only this line's events. */
  readonly lineRef: number | null;
  /** Only these types. */
  readonly types: ReadonlySet<string> | null;
  /** The number after which to begin. */
  readonly after: number;
  /** The view of the key as it is now, or null when it is no longer valid. */
  readonly view: () => Promise<View | null>;
}

/** The socket, as a stream needs it. */
export interface Sink {
  write(text: string): void;
  /** Bytes written and not yet taken by the network. */
  unsent(): number;
  /** Calls back once the unsent bytes are gone. */
  onDrained(callback: () => void): void;
  end(): void;
}

/** The line that all accounts share, on which an account sees one chat at a time. */
export interface SharedLine {
  is(lineRef: number): boolean;
  /** The chat on it that the account sees now, or null. */
  chatOf(accountRef: number, lineRef: number): Promise<number | null>;
}

export interface StreamDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly tail: Tail;
  readonly epoch: string;
  readonly sharedLine: SharedLine;
  readonly onError: (error: unknown) => void;
}

export interface EventStream {
  close(): void;
}

export function startStream(deps: StreamDeps, options: StreamOptions, view: View, sink: Sink): EventStream {
  return new Stream(deps, options, view, sink);
}

class Stream implements EventStream {
  readonly #deps: StreamDeps;
  readonly #options: StreamOptions;
  readonly #sink: Sink;
  #view: View;
  #position: number;
  #live = false;
  #closed = false;
  #pending = '';
  readonly #cancels = new Map<string, () => void>();
  readonly #stopListening: () => void;

  constructor(deps: StreamDeps, options: StreamOptions, view: View, sink: Sink) {
    this.#deps = deps;
    this.#options = options;
    this.#sink = sink;
    this.#view = view;
    this.#position = options.after;
    sink.write(': connected\n\n');
    this.#stopListening = deps.tail.listen((event) => this.#onTail(event));
    this.#every('heartbeat', HEARTBEAT_MS, () => this.#push(': heartbeat\n\n'));
    this.#every('recheck', RECHECK_MS, () => void this.#recheck());
    void this.#catchUp();
  }

  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#stopListening();
    for (const cancel of this.#cancels.values()) cancel();
    this.#sink.end();
  }

  #onTail(event: LoggedEvent): void {
    // A client can come from a process that had read further: what it has seen is not shown again.
    if (!this.#live || this.#closed || event.seq <= this.#position) return;
    if (this.#isAskedFor(event)) {
      // Asking takes a moment, in which others may come: the pages show it, and them, in their order.
      this.#live = false;
      void this.#catchUp();
      return;
    }
    this.#position = event.seq;
    this.#show(event, null);
    if (this.#sink.unsent() + this.#pending.length <= UNSENT_MAX_BYTES) return;
    this.#live = false;
    this.#flush();
    this.#sink.onDrained(() => void this.#catchUp());
  }

  /** Reads pages until it stands where the tail stands, and joins it in the same turn. */
  async #catchUp(): Promise<void> {
    try {
      while (!this.#closed && this.#position < this.#deps.tail.head) {
        const until = this.#deps.tail.head;
        const range = { accountRef: this.#view.accountRef, after: this.#position, until };
        const page = await readEventsOfAccount(this.#deps.engine, range, PAGE_MAX);
        // Looked at after the page: what was removed before it was read is known by then. The client comes again with
        // its cursor and is told that its place is gone, instead of missing something.
        const { prunedThrough } = await logBounds(this.#deps.engine);
        if (range.after < prunedThrough) return this.close();
        const asked = page.find((event) => this.#isAskedFor(event));
        const sharedChat = asked ? await this.#deps.sharedLine.chatOf(asked.accountRef, asked.lineRef) : null;
        for (const event of page) this.#show(event, sharedChat);
        this.#position = page.length === PAGE_MAX ? (page.at(-1)?.seq ?? until) : until;
        this.#flush();
        if (this.#sink.unsent() > UNSENT_MAX_BYTES) {
          this.#sink.onDrained(() => void this.#catchUp());
          return;
        }
      }
      this.#live = true;
    } catch (error) {
      this.#deps.onError(error);
      this.close();
    }
  }

  /** Whether only the database knows if the account sees it just now. */
  #isAskedFor(event: LoggedEvent): boolean {
    return event.accountRef === this.#view.accountRef && this.#deps.sharedLine.is(event.lineRef);
  }

  #show(event: LoggedEvent, sharedChat: number | null): void {
    if (!this.#mayShow(event, sharedChat)) return;
    const id = formatCursor(this.#deps.epoch, event.seq);
    this.#push(`id: ${id}\ndata: ${eventBody(event.type, event.data, event.createdAt, null)}\n\n`);
  }

  #mayShow(event: LoggedEvent, sharedChat: number | null): boolean {
    const { lineRef, types } = this.#options;
    const { accountRef, scopes, lineRefs } = this.#view;
    if (event.accountRef !== accountRef) return false;
    if (lineRef !== null && event.lineRef !== lineRef) return false;
    if (this.#deps.sharedLine.is(event.lineRef)) {
      if (event.chatRef === null || event.chatRef !== sharedChat) return false;
    } else if (lineRefs !== null && !lineRefs.has(event.lineRef)) return false;
    if (types !== null && !types.has(event.type)) return false;
    return isEventType(event.type) && scopes.has(EVENTS[event.type].scope);
  }

  #push(text: string): void {
    if (this.#closed) return;
    this.#pending += text;
    if (this.#cancels.has('gather')) return;
    const flush = () => {
      this.#cancels.delete('gather');
      this.#flush();
    };
    this.#cancels.set('gather', this.#deps.clock.after(GATHER_MS, flush));
  }

  #flush(): void {
    if (this.#closed || this.#pending === '') return;
    this.#sink.write(this.#pending);
    this.#pending = '';
  }

  async #recheck(): Promise<void> {
    try {
      const view = await this.#options.view();
      if (!view) this.close();
      else this.#view = view;
    } catch (error) {
      // While the database is away the key cannot be checked; showing more could show too much.
      this.#deps.onError(error);
      this.close();
    }
  }

  #every(name: string, ms: number, work: () => void): void {
    this.#cancels.set(
      name,
      this.#deps.clock.after(ms, () => {
        if (this.#closed) return;
        work();
        if (!this.#closed) this.#every(name, ms, work);
      }),
    );
  }
}
