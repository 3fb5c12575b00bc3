/** The simulator's driver: a line whose far end is the simulated phone network. */
import { createBell } from '../bell.ts';
import type {
  Capabilities,
  Command,
  Disposition,
  DriverContext,
  HandOver,
  LineDriver,
  LookUp,
  SendAudioMessage,
  SendMessage,
} from '../line-driver.ts';
import { capabilitiesOf, isAble, type LineService } from './capabilities.ts';
import { toReport } from './disturb.ts';
import { type Faults, NO_FAULTS } from './faults.ts';
import type { Entry } from './feed.ts';
import type { LineSide, SimulatorNetwork } from './network.ts';
import { actingOf, outgoingContent } from './outgoing.ts';
import { type OutgoingPlan, planSend } from './plan-send.ts';

const IN_FLIGHT = 64;
const CURSOR = /^\d{1,15}$/;

const NOT_RUNNING: Disposition = { state: 'not_started', reason: 'The simulated line is not running.' };
const VOIDED: Disposition = { state: 'not_started', reason: 'This attempt was given up before it was handed over.' };
const NO_SUCH_GROUP: Disposition = { state: 'failed', reason: 'The line is in no group with this identifier.' };
const NO_SUCH_MESSAGE: Disposition = {
  state: 'failed',
  reason: 'The message that the reaction is for is not on the line.',
};
const NOT_ABLE: Disposition = { state: 'failed', reason: 'The line cannot do this.' };
const NO_ECHO: Disposition = { state: 'unknown', reason: 'The message went out, but the line has not shown it.' };

export interface SimulatorDriverOptions {
  readonly network: SimulatorNetwork;
  /** The line's handle. */
  readonly line: string;
  /** An SMS line carries text and attachments, and nothing more. */
  readonly service?: LineService;
  readonly context: DriverContext;
}

export function createSimulatorDriver({ network, line, service, context }: SimulatorDriverOptions): LineDriver {
  return new SimulatorDriver(network.lineSide(line), capabilitiesOf(service), context);
}

class SimulatorDriver implements LineDriver {
  readonly inFlight = IN_FLIGHT;
  readonly stopped: Promise<Error | null>;

  readonly #side: LineSide;
  readonly #capabilities: Capabilities;
  readonly #context: DriverContext;
  readonly #ended = Promise.withResolvers<Error | null>();
  readonly #entriesBell = createBell();
  readonly #faultsBell = createBell();
  /** Rung by nobody: what waits on it waits for time to pass, or for the end. */
  readonly #pause = createBell();
  readonly #sends = new Set<PromiseWithResolvers<Disposition>>();
  #faults: Faults = NO_FAULTS;
  #loops: readonly Promise<void>[] = [];
  #isEnding = false;
  #stopListening = (): void => undefined;

  constructor(side: LineSide, capabilities: Capabilities, context: DriverContext) {
    this.#side = side;
    this.#capabilities = capabilities;
    this.#context = context;
    this.stopped = this.#ended.promise;
  }

  capabilities(): Capabilities {
    return this.#capabilities;
  }

  async start(cursor: string | null): Promise<void> {
    const { signal } = this.#context;
    if (signal.aborted) return this.stop();
    signal.addEventListener('abort', () => this.#end(null), { once: true });
    const position = await this.#readPosition(cursor);
    this.#takeFaults(await this.#side.readFaults(), true);
    this.#stopListening = this.#side.onChange({
      entries: () => this.#entriesBell.ring(),
      faults: () => this.#faultsBell.ring(),
    });
    if (this.#isEnding) return this.#stopListening();
    this.#loops = [this.#tail(position), this.#tend()];
    for (const loop of this.#loops) loop.catch((error: unknown) => this.#end(toError(error)));
  }

  send(command: Command): Promise<Disposition> {
    const answer = Promise.withResolvers<Disposition>();
    this.#sends.add(answer);
    this.#handOver(command)
      .then(answer.resolve, (error: unknown) => {
        // A network that does not answer now can be asked later: as after a crash, nobody is given up.
        this.#end(toError(error));
        answer.reject(toError(error));
      })
      .finally(() => this.#sends.delete(answer));
    return answer.promise;
  }

  find(lost: readonly HandOver[]): Promise<ReadonlyMap<string, LookUp>> {
    return this.#side.findOrVoid(lost);
  }

  async stop(): Promise<void> {
    this.#end(null);
    await this.stopped;
  }

  async #readPosition(cursor: string | null): Promise<number> {
    // A line's feed begins with the line, so that a greeting written before the first start is announced.
    if (cursor === null) return 0;
    if (!CURSOR.test(cursor)) throw new Error(`The cursor ${JSON.stringify(cursor)} is not the simulator's.`);
    const position = Number(cursor);
    const head = await this.#side.readHead();
    if (position <= head) return position;
    this.#context.log(
      'warn',
      'The simulated network is younger than the cursor; the line is read from its beginning.',
      {
        position,
        head,
      },
    );
    return 0;
  }

  async #tail(from: number): Promise<void> {
    const { pollMs, reportRetryMs } = this.#side.timings;
    let position = from;
    while (!this.#isEnding) {
      const entries = this.#faults.offline ? [] : await this.#side.readEntries(position);
      // What was being read when the line went offline is read again when it is back.
      const last = this.#faults.offline ? undefined : entries.at(-1);
      if (last === undefined) await this.#entriesBell.wait(pollMs);
      else if (await this.#reportOnce(entries, position)) position = last.seq;
      else await this.#pause.wait(reportRetryMs);
    }
  }

  /** False when the report was refused: the same entries are reported again. */
  async #reportOnce(entries: readonly Entry[], position: number): Promise<boolean> {
    const context = this.#context;
    try {
      await context.report(toReport(entries, position, this.#faults, () => context.random()));
      return true;
    } catch (error) {
      context.log('warn', 'The report was refused and will be made again.', {
        position,
        error: toError(error).message,
      });
      return false;
    }
  }

  /** Looks after what does not come from the feed: the line's faults, and what has fallen due. */
  async #tend(): Promise<void> {
    while (!this.#isEnding) {
      this.#takeFaults(await this.#side.readFaults());
      const done = await this.#side.doDueOnce();
      if (done === 0) await this.#faultsBell.wait(this.#side.timings.pollMs);
    }
  }

  #takeFaults(faults: Faults, isFirst = false): void {
    const changed = faults.offline !== this.#faults.offline;
    this.#faults = faults;
    if (!changed && !isFirst) return;
    if (faults.offline) this.#context.health('offline', 'The simulated line was taken offline.');
    else this.#context.health('online', null);
    this.#entriesBell.ring();
  }

  async #handOver(command: Command): Promise<Disposition> {
    if (this.#isEnding) return NOT_RUNNING;
    if (!isAble(this.#capabilities, command)) return NOT_ABLE;
    const { slowMs } = this.#side.timings;
    const plan = planSend(command, this.#faults, slowMs, () => this.#context.random());
    if (!plan.goesOut) return plan.disposition;
    if (plan.delayMs > 0) {
      await this.#pause.wait(plan.delayMs);
      if (this.#isEnding) return NOT_RUNNING;
    }
    if (command.kind === 'message' || command.kind === 'audio_message') return this.#sendMessage(command, plan);
    const outcome = await this.#side.act(actingOf(command));
    if (outcome.state === 'voided') return VOIDED;
    if (outcome.state === 'no_such_group') return NO_SUCH_GROUP;
    if (outcome.state === 'no_such_message') return NO_SUCH_MESSAGE;
    if (plan.answerAfterMs > 0) await this.#pause.wait(plan.answerAfterMs);
    return command.kind === 'reaction' ? { state: 'sent', guid: outcome.guid } : { state: 'done' };
  }

  async #sendMessage(command: SendMessage | SendAudioMessage, plan: OutgoingPlan): Promise<Disposition> {
    const { reference, attempt, chat } = command;
    const { echoes, deliveredAfterMs, crashes: asksIfRepeat } = plan;
    const content = outgoingContent(command, this.#capabilities);
    const outcome = await this.#side.send({
      reference,
      attempt,
      chat,
      content,
      echoes,
      deliveredAfterMs,
      asksIfRepeat,
    });
    if (outcome.state === 'voided') return VOIDED;
    if (outcome.state === 'no_such_group') return NO_SUCH_GROUP;
    if (plan.crashes && !outcome.isRepeat) this.#end(new Error('The simulated driver crashed, as this handle asks.'));
    if (plan.answerAfterMs > 0) await this.#pause.wait(plan.answerAfterMs);
    if (plan.answer === 'accepted') return { state: 'accepted' };
    return plan.answer === 'sent' ? { state: 'sent', guid: outcome.guid } : NO_ECHO;
  }

  /** After a crash the sends under way are rejected: nobody can say any more what became of them. */
  #end(error: Error | null): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#stopListening();
    for (const bell of [this.#entriesBell, this.#faultsBell, this.#pause]) bell.close();
    const answers = [...this.#sends];
    if (error !== null) for (const answer of answers) answer.reject(error);
    const underWay = [...this.#loops, ...answers.map((answer) => answer.promise)];
    void Promise.allSettled(underWay).then(() => this.#ended.resolve(error));
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
