/** The agent's end of one connection: the driver on this computer, started for it and ended with it. */
import type { Command, Disposition, DriverContext, DriverFiles, HealthState, LineDriver } from '../line-driver.ts';
import type { LineEvent } from '../line-events.ts';
import type { Ended, FrameSocket } from './frame-socket.ts';
import { type AgentFrame, PROTOCOL_VERSION, readServerFrame, type ServerFrame } from './frames.ts';

/** So many events go in one frame, and no next one before they are committed. */
const EVENTS_MAX = 200;
/** An event with a long text is heavy: a frame is begun anew from here on. */
const FRAME_FULL_BYTES = 512 * 1024;
/** A driver that has not ended by then is left to itself: what it does to the line, its own ledger knows. */
const STOP_WITHIN_MS = 5_000;

export interface SessionLine {
  readonly handle: string;
  readonly service: 'imessage' | 'sms' | 'auto';
}

export interface SessionOptions {
  readonly socket: FrameSocket;
  readonly createDriver: (line: SessionLine, context: DriverContext) => LineDriver;
  readonly filesOf: (line: SessionLine) => DriverFiles;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: DriverContext['log'];
  /** Aborted when the agent is to stop. */
  readonly signal: AbortSignal;
  /** How far this clock is ahead of the server's, in milliseconds, as far as one way of a question tells. */
  readonly onClock?: (offsetMs: number) => void;
  /** The driver has started. */
  readonly onReady: (line: SessionLine) => void;
}

/** Resolves when the connection has ended, and its driver with it. */
export async function runSession(options: SessionOptions): Promise<Ended> {
  const session = new Session(options);
  return session.run();
}

class Session {
  readonly #options: SessionOptions;
  readonly #socket: FrameSocket;
  readonly #stopping = new AbortController();
  #driver: LineDriver | null = null;
  #starting: Promise<void> = Promise.resolve();
  #events = 0;
  #reporting: Promise<void> = Promise.resolve();
  #unanswered: { readonly last: number; readonly answer: PromiseWithResolvers<void> } | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#socket = options.socket;
  }

  async run(): Promise<Ended> {
    const { signal } = this.#options;
    const leave = () => this.#socket.close(1000, 'The agent stops.');
    signal.addEventListener('abort', leave, { once: true });
    this.#socket.listen((data) => this.#take(readServerFrame(data)));
    const ended = await this.#socket.ended;
    signal.removeEventListener('abort', leave);
    this.#unanswered?.answer.reject(new Error('The connection to the server ended.'));
    await this.#stopDriver();
    return ended;
  }

  async #stopDriver(): Promise<void> {
    this.#stopping.abort();
    await this.#starting;
    let late: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      late = setTimeout(resolve, STOP_WITHIN_MS);
    });
    await Promise.race([this.#driver?.stop(), tooLong]);
    clearTimeout(late);
  }

  #say(frame: AgentFrame): void {
    this.#socket.send(frame);
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case 'welcome':
        this.#starting = this.#start(frame);
        return;
      case 'committed':
        if (this.#unanswered !== null && frame.upTo >= this.#unanswered.last) this.#unanswered.answer.resolve();
        return;
      case 'rejected':
        this.#unanswered?.answer.reject(new Error(frame.reason));
        return;
      case 'send':
        void this.#send(frame.id, frame.command);
        return;
      case 'find':
        void this.#find(frame.id, frame.lost);
        return;
      case 'stop':
        void this.#stopDriver().then(() => this.#say({ type: 'ended', error: null }));
        return;
      case 'time':
        this.#tellTime(frame.asked);
        return;
    }
  }

  #tellTime(asked: number): void {
    const at = this.#options.now();
    this.#say({ type: 'time', asked, at });
    this.#options.onClock?.(at - asked);
  }

  async #start({ version, line, cursor }: Extract<ServerFrame, { type: 'welcome' }>): Promise<void> {
    try {
      if (version !== PROTOCOL_VERSION) throw new Error(`The server speaks version ${version}; update the older one.`);
      const driver = this.#options.createDriver(line, this.#createContext(line));
      this.#driver = driver;
      void driver.stopped.then((error) => this.#ended(error));
      await driver.start(cursor);
      this.#say({ type: 'ready', capabilities: { ...driver.capabilities() }, inFlight: driver.inFlight });
      this.#options.onReady(line);
    } catch (error) {
      this.#ended(toError(error));
    }
  }

  #ended(error: Error | null): void {
    if (this.#stopping.signal.aborted) return;
    if (error !== null) this.#options.log('error', 'The driver ended.', { error: error.message });
    this.#say({ type: 'ended', error: error?.message ?? null });
  }

  #createContext(line: SessionLine): DriverContext {
    const { now, random, log, filesOf } = this.#options;
    return {
      now,
      random,
      log,
      report: (events) => this.#report(events),
      health: (state, reason) => this.#health(state, reason),
      files: filesOf(line),
      signal: this.#stopping.signal,
    };
  }

  #health(state: HealthState, reason: string | null): void {
    // A driver may speak of its health while it is being made.
    const capabilities = this.#driver?.capabilities() ?? {};
    this.#say({ type: 'health', state, reason, capabilities: { ...capabilities } });
  }

  /** One report at a time, and of it one frame at a time: whoever commits slowly is not sent more. */
  #report(events: readonly LineEvent[]): Promise<void> {
    const reported = this.#reporting.then(async () => {
      for (const frame of framesOf(events)) await this.#sendEvents(frame);
    });
    this.#reporting = reported.catch(() => undefined);
    return reported;
  }

  async #sendEvents(events: readonly LineEvent[]): Promise<void> {
    if (!this.#socket.isOpen || this.#stopping.signal.aborted) throw new Error('There is no connection to the server.');
    const first = this.#events + 1;
    this.#events += events.length;
    const answer = Promise.withResolvers<void>();
    this.#unanswered = { last: this.#events, answer };
    this.#say({ type: 'report', first, events: [...events] as Extract<AgentFrame, { type: 'report' }>['events'] });
    await answer.promise.finally(() => {
      this.#unanswered = null;
    });
  }

  async #send(id: number, command: Command): Promise<void> {
    const outcome = await this.#handOver(command);
    if (outcome !== null) this.#say({ type: 'outcome', id, disposition: outcome });
  }

  /** Null where the driver ended by it: its end is told, and what became of the command is asked later. */
  async #handOver(command: Command): Promise<Disposition | null> {
    if (this.#driver === null) return { state: 'not_started', reason: 'The driver is not running.' };
    try {
      return await this.#driver.send(command);
    } catch (error) {
      this.#options.log('error', 'The driver ended during a hand-over.', { error: toError(error).message });
      return null;
    }
  }

  async #find(id: number, lost: Parameters<LineDriver['find']>[0]): Promise<void> {
    try {
      const answers = await this.#driver?.find(lost);
      if (answers) this.#say({ type: 'found', id, answers: Object.fromEntries(answers) });
    } catch (error) {
      this.#ended(toError(error));
    }
  }
}

function framesOf(events: readonly LineEvent[]): LineEvent[][] {
  const frames: LineEvent[][] = [];
  let frame: LineEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    frame.push(event);
    bytes += Buffer.byteLength(JSON.stringify(event));
    if (frame.length < EVENTS_MAX && bytes < FRAME_FULL_BYTES) continue;
    frames.push(frame);
    frame = [];
    bytes = 0;
  }
  if (frame.length > 0) frames.push(frame);
  return frames;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
