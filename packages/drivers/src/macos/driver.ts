/** The driver of a line on this Mac: reads what Messages writes, and has Messages send. */
import type {
  Capabilities,
  Capability,
  Command,
  Disposition,
  DriverContext,
  HandOver,
  HealthState,
  LineDriver,
  LookUp,
} from '../line-driver.ts';
import { CAPABILITIES } from '../line-driver.ts';
import { type ChatDbReader, createChatDbReader } from './chat-db/reader.ts';
import type { MacParts } from './mac.ts';

/** What Messages can be told to do without a helper inside it. */
const ABLE: readonly Capability[] = ['text', 'attachments', 'groups', 'deliveryStatus', 'readStatus'];
const MACOS_CAPABILITIES = Object.fromEntries(CAPABILITIES.map((name) => [name, ABLE.includes(name)])) as Record<
  Capability,
  boolean
>;
const NOT_RUNNING: Disposition = { state: 'not_started', reason: 'The line is not running.' };
/** How often it is looked whether Messages may be told to send, and has an account to send by. */
const PROBE_EVERY_MS = 5 * 60_000;
const PROBE_AGAIN_MS = 15_000;

interface Word {
  readonly state: HealthState;
  readonly reason: string | null;
}

const FINE: Word = { state: 'online', reason: null };
const WORSE: readonly HealthState[] = ['online', 'degraded', 'offline'];

export interface MacosDriver extends LineDriver {
  diagnostics(): object;
}

export function createMacosDriver(parts: MacParts, line: string, context: DriverContext): MacosDriver {
  return new Driver(parts, line, context);
}

class Driver implements MacosDriver {
  /** Messages is told one thing at a time. */
  readonly inFlight = 1;
  readonly stopped: Promise<Error | null>;
  readonly #parts: MacParts;
  readonly #context: DriverContext;
  readonly #reader: ChatDbReader;
  readonly #sends = new Set<Promise<Disposition>>();
  readonly #ended = Promise.withResolvers<Error | null>();
  #reading: Word = FINE;
  #sending: Word = FINE;
  #told: Word | null = null;
  #probe: NodeJS.Timeout | null = null;
  #hasStarted = false;
  #isEnding = false;

  constructor(parts: MacParts, line: string, context: DriverContext) {
    const { chatDbPath: chatDb, home, journal, sender, readerTimings: timings } = parts;
    this.#parts = parts;
    this.#context = context;
    this.stopped = this.#ended.promise;
    const reading = {
      ...context,
      health: (state: HealthState, reason: string | null) => {
        this.#reading = { state, reason };
        this.#tellHealth();
      },
    };
    this.#reader = createChatDbReader({
      chatDb,
      home,
      line,
      journal,
      ownRows: sender.ownRows,
      context: reading,
      timings,
    });
  }

  capabilities(): Capabilities {
    return MACOS_CAPABILITIES;
  }

  diagnostics(): object {
    return { ...this.#reader.diagnostics() };
  }

  async start(cursor: string | null): Promise<void> {
    const { signal } = this.#context;
    if (signal.aborted) return this.stop();
    signal.addEventListener('abort', () => void this.stop(), { once: true });
    this.#hasStarted = true;
    void this.#reader.stopped.then((error) => this.#end(error));
    this.#reader.start(cursor);
    await this.#probeOnce();
  }

  async send(command: Command): Promise<Disposition> {
    if (this.#isEnding) return NOT_RUNNING;
    const sent = this.#parts.sender.send(command, this.#context.files);
    this.#sends.add(sent);
    return sent.finally(() => {
      this.#sends.delete(sent);
      this.#reader.poke();
    });
  }

  find(lost: readonly HandOver[]): Promise<ReadonlyMap<string, LookUp>> {
    return this.#parts.sender.find(lost);
  }

  async stop(): Promise<void> {
    if (!this.#hasStarted) this.#end(null);
    if (!this.#isEnding) {
      this.#isEnding = true;
      await this.#reader.stop();
    }
    await this.stopped;
  }

  async #probeOnce(): Promise<void> {
    this.#sending = await this.#parts.sender.probe();
    if (this.#isEnding) return;
    this.#tellHealth();
    const inMs = this.#sending.state === 'online' ? PROBE_EVERY_MS : PROBE_AGAIN_MS;
    this.#probe = setTimeout(() => {
      this.#probeOnce().catch((error: unknown) => this.#end(toError(error)));
    }, inMs);
    this.#probe.unref();
  }

  /** The worse of the two words counts. */
  #tellHealth(): void {
    const worse =
      WORSE.indexOf(this.#sending.state) > WORSE.indexOf(this.#reading.state) ? this.#sending : this.#reading;
    if (this.#told?.state === worse.state && this.#told.reason === worse.reason) return;
    this.#told = worse;
    this.#context.health(worse.state, worse.reason);
  }

  #end(error: Error | null): void {
    this.#isEnding = true;
    if (this.#probe !== null) clearTimeout(this.#probe);
    void Promise.allSettled(this.#sends).then(() => this.#ended.resolve(error));
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
