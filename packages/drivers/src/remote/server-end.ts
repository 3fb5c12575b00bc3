/**
 * The server's end of a remote line: a driver like any other, whose far side is an agent on somebody's Mac. The socket is
 * the lease: when it ends the driver ends, by an error, and what became of the hand-overs under way is asked of the next.
 */
import type {
  Capabilities,
  Capability,
  Command,
  Disposition,
  DriverContext,
  HandOver,
  LineDriver,
  LookUp,
} from '../line-driver.ts';
import { CAPABILITIES } from '../line-driver.ts';
import type { FrameSocket } from './frame-socket.ts';
import { type AgentFrame, CLOSE, PROTOCOL_VERSION, readAgentFrame, type ServerFrame } from './frames.ts';

/** An agent that has not started its driver by then is not waited for. */
const READY_WITHIN_MS = 30_000;
/** A stop waits so long for hand-overs under way: the agent goes on with them, and is asked about them later. */
const STOP_WITHIN_MS = 3_000;
const TIME_EVERY_MS = 60_000;

const NOTHING = Object.fromEntries(CAPABILITIES.map((name) => [name, false])) as Record<Capability, boolean>;
const NOT_RUNNING: Disposition = { state: 'not_started', reason: 'The line is not running.' };

export interface RemoteDriverOptions {
  /** On which the agent has said hello. */
  readonly socket: FrameSocket;
  readonly line: { readonly handle: string; readonly service: 'imessage' | 'sms' | 'auto' };
  readonly context: DriverContext;
  /** How far the agent's clock is ahead, in milliseconds, whenever it was measured. */
  readonly onClock?: (offsetMs: number) => void;
}

export function createRemoteDriver(options: RemoteDriverOptions): LineDriver {
  return new RemoteDriver(options);
}

type Waiting<T> = Map<number, PromiseWithResolvers<T>>;

class RemoteDriver implements LineDriver {
  readonly stopped: Promise<Error | null>;
  readonly #options: RemoteDriverOptions;
  readonly #context: DriverContext;
  readonly #socket: FrameSocket;
  readonly #ended = Promise.withResolvers<Error | null>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #sends: Waiting<Disposition> = new Map();
  readonly #finds: Waiting<ReadonlyMap<string, LookUp>> = new Map();
  #capabilities: Capabilities = NOTHING;
  #inFlight = 1;
  #ids = 0;
  #committing: Promise<void> = Promise.resolve();
  #isCommitting = false;
  #timeAsked: number | null = null;
  #isStopping = false;
  #isEnded = false;
  #clock: NodeJS.Timeout | null = null;

  constructor(options: RemoteDriverOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#socket = options.socket;
    this.stopped = this.#ended.promise;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  capabilities(): Capabilities {
    return this.#capabilities;
  }

  async start(cursor: string | null): Promise<void> {
    const { signal } = this.#context;
    if (signal.aborted) return this.stop();
    signal.addEventListener('abort', () => void this.stop(), { once: true });
    const { line } = this.#options;
    this.#say({ type: 'welcome', version: PROTOCOL_VERSION, line, cursor });
    this.#socket.listen((data) => this.#take(readAgentFrame(data)));
    void this.#socket.ended.then(({ code, reason }) => this.#disconnected(code, reason));
    const late = setTimeout(
      () => this.#fail(new Error('The agent did not start its driver in time.')),
      READY_WITHIN_MS,
    );
    await Promise.race([this.#ready.promise, this.stopped]).finally(() => clearTimeout(late));
    if (this.#isEnded) {
      const ended = await this.stopped;
      if (ended !== null) throw ended;
      return;
    }
    this.#clock = setInterval(() => this.#askTime(), TIME_EVERY_MS);
    this.#askTime();
  }

  send(command: Command): Promise<Disposition> {
    if (this.#isStopping || this.#isEnded) return Promise.resolve(NOT_RUNNING);
    const id = this.#nextId();
    const answer = Promise.withResolvers<Disposition>();
    this.#sends.set(id, answer);
    this.#say({ type: 'send', id, command });
    return answer.promise;
  }

  find(lost: readonly HandOver[]): Promise<ReadonlyMap<string, LookUp>> {
    if (lost.length === 0) return Promise.resolve(new Map());
    if (this.#isEnded) return Promise.reject(new Error('The agent is not connected.'));
    const id = this.#nextId();
    const answer = Promise.withResolvers<ReadonlyMap<string, LookUp>>();
    this.#finds.set(id, answer);
    this.#say({ type: 'find', id, lost });
    return answer.promise;
  }

  async stop(): Promise<void> {
    if (!this.#isStopping && !this.#isEnded) {
      this.#isStopping = true;
      this.#say({ type: 'stop' });
      const late = setTimeout(() => this.#end(null), STOP_WITHIN_MS);
      void this.stopped.then(() => clearTimeout(late));
    }
    await this.stopped;
  }

  #nextId(): number {
    this.#ids += 1;
    return this.#ids;
  }

  #say(frame: ServerFrame): void {
    this.#socket.send(frame);
  }

  #take(frame: AgentFrame): void {
    if (this.#isEnded) return;
    switch (frame.type) {
      case 'ready':
        this.#capabilities = { ...NOTHING, ...frame.capabilities };
        this.#inFlight = frame.inFlight;
        this.#ready.resolve();
        return;
      case 'report':
        // What is not committed yet lies in memory: no more than one report of an agent does.
        if (this.#isCommitting) throw new Error('The report before this one is not committed yet.');
        this.#committing = this.#commit(frame);
        return;
      case 'health':
        this.#capabilities = { ...NOTHING, ...frame.capabilities };
        this.#context.health(frame.state, frame.reason);
        return;
      case 'outcome':
        this.#sends.get(frame.id)?.resolve(frame.disposition);
        this.#sends.delete(frame.id);
        return;
      case 'found':
        this.#finds.get(frame.id)?.resolve(new Map(Object.entries(frame.answers)));
        this.#finds.delete(frame.id);
        return;
      case 'ended':
        this.#end(frame.error === null ? null : new Error(frame.error));
        return;
      case 'time':
        this.#measure(frame.asked, frame.at);
        return;
      case 'hello':
        throw new Error('The agent has said hello already.');
    }
  }

  /** What follows a refused report on the wire is refused with it, as its events build on those. */
  async #commit({ first, events }: Extract<AgentFrame, { type: 'report' }>): Promise<void> {
    this.#isCommitting = true;
    const answer: ServerFrame = await this.#context.report(events).then(
      () => ({ type: 'committed', upTo: first + events.length - 1 }),
      (error: unknown) => ({ type: 'rejected', first, reason: toError(error).message }),
    );
    // Before the answer, which brings the next one.
    this.#isCommitting = false;
    this.#say(answer);
  }

  #askTime(): void {
    this.#timeAsked = this.#context.now();
    this.#say({ type: 'time', asked: this.#timeAsked });
  }

  /** The answer was given halfway between question and arrival. */
  #measure(asked: number, at: number): void {
    // Each answer is written down, so that one is taken for each question.
    if (asked !== this.#timeAsked) return;
    this.#timeAsked = null;
    const now = this.#context.now();
    if (asked <= now) this.#options.onClock?.(Math.round(at - (asked + now) / 2));
  }

  #disconnected(code: number, reason: string): void {
    const isWanted = this.#isStopping || code === 1000;
    const why = reason === '' ? `code ${code}` : reason;
    this.#end(isWanted ? null : new Error(`The connection to the agent ended (${why}).`));
  }

  #fail(error: Error): void {
    this.#end(error);
  }

  /** Nobody can say any more what became of the hand-overs under way: they are rejected, and asked about later. */
  #end(error: Error | null): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#clock !== null) clearInterval(this.#clock);
    this.#socket.close(error === null ? 1000 : CLOSE.goingAway, error?.message ?? 'The line stops.');
    const lost = error ?? new Error('The line stopped during the hand-over.');
    for (const waiting of [...this.#sends.values(), ...this.#finds.values()]) waiting.reject(lost);
    void this.#committing.then(() => this.#ended.resolve(error));
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
