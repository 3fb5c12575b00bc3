/** `trunkline simulate faults` and `trunkline simulate autoreply`: how a line and its phones behave by themselves. */
import type { Command } from 'commander';
import { showAnswer } from '../answer.ts';
import { usageFailure } from '../failure.ts';
import type { Fields } from '../fields.ts';
import { rate, wholeNumber } from '../option-values.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';

const BASE = '/simulator/v1';
const FAULT_MS_MAX = 600_000;

interface FaultOptions {
  readonly latencyMs?: number;
  readonly jitterMs?: number;
  readonly failRate?: number;
  readonly dropEchoRate?: number;
  readonly duplicateRate?: number;
  readonly reorder?: boolean;
  readonly offline?: boolean;
  readonly clear?: boolean;
}

interface AutoreplyOptions {
  readonly text?: string;
  readonly echo?: boolean;
  readonly off?: boolean;
}

export function addFaults(simulate: Command, surroundings: Surroundings): void {
  simulate
    .command('faults')
    .description('Makes a line slow, lossy or offline. What is not named is as it should be.')
    .argument('<line>', 'the line (handle or ln_ id)')
    .option('--latency-ms <ms>', 'how much later everything happens', wholeNumber(0, FAULT_MS_MAX))
    .option('--jitter-ms <ms>', 'how much that varies', wholeNumber(0, FAULT_MS_MAX))
    .option('--fail-rate <rate>', 'the share of messages that fail, 0 to 1', rate)
    .option('--drop-echo-rate <rate>', 'the share that is never seen on the line', rate)
    .option('--duplicate-rate <rate>', 'the share that is seen twice', rate)
    .option('--reorder', 'reports come out of order')
    .option('--offline', 'the line is not connected')
    .option('--clear', 'everything is as it should be')
    .action(async (line: string, options: FaultOptions, command: Command) => {
      await setFaults(openSession(surroundings, command), line, options);
    });
  simulate
    .command('autoreply')
    .description('Makes a phone answer whatever it is sent.')
    .argument('<phone>', "the phone's handle")
    .option('--text <text>', 'what it answers')
    .option('--echo', 'it answers with what it was sent')
    .option('--off', 'it answers no more')
    .action(async (phone: string, options: AutoreplyOptions, command: Command) => {
      await setAutoreply(openSession(surroundings, command), phone, options);
    });
}

async function setFaults(session: Session, line: string, options: FaultOptions): Promise<void> {
  const faults: Fields = {
    ...(options.latencyMs === undefined ? {} : { latency_ms: options.latencyMs }),
    ...(options.jitterMs === undefined ? {} : { jitter_ms: options.jitterMs }),
    ...(options.failRate === undefined ? {} : { fail_rate: options.failRate }),
    ...(options.dropEchoRate === undefined ? {} : { drop_echo_rate: options.dropEchoRate }),
    ...(options.duplicateRate === undefined ? {} : { duplicate_rate: options.duplicateRate }),
    ...(options.reorder === undefined ? {} : { reorder: options.reorder }),
    ...(options.offline === undefined ? {} : { offline: options.offline }),
  };
  const count = Object.keys(faults).length;
  if ((count === 0) !== (options.clear === true)) throw usageFailure('Name at least one fault, or --clear and none.');
  const method = options.clear === true ? 'DELETE' : 'POST';
  const answer = await session.api.call(method, `${BASE}/faults`, { body: { line, ...faults } });
  showAnswer(session, answer, options.clear === true ? `${line} has no faults.` : `${line} has faults now.`);
}

async function setAutoreply(session: Session, phone: string, options: AutoreplyOptions): Promise<void> {
  const { text, echo, off } = options;
  const named = [text, echo, off].filter((one) => one !== undefined);
  if (named.length !== 1) throw usageFailure('Say one of --text, --echo and --off.');
  const body = { phone, ...(text === undefined ? {} : { text }), ...(echo === undefined ? {} : { echo }) };
  const answer = await session.api.call('POST', `${BASE}/autoreply`, { body });
  showAnswer(session, answer, off === true ? `${phone} answers no more.` : `${phone} answers now.`);
}
