/** `trunkline simulate`: the phones' side of simulated lines. */
import type { Command } from 'commander';
import { chooseLine } from '../chosen-line.ts';
import { usageFailure } from '../failure.ts';
import { type Fields, numberOf, textOf } from '../fields.ts';
import { formatMoment } from '../moment.ts';
import { gather, rate, wholeNumber } from '../option-values.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';

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

export function addSimulateCommand(program: Command, surroundings: Surroundings): void {
  const description = 'The phones that talk with simulated lines.';
  const simulate = program.command('simulate').summary('be the phones of simulated lines').description(description);
  addConversation(simulate, surroundings);
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

function addConversation(simulate: Command, surroundings: Surroundings): void {
  simulate
    .command('text')
    .description('A phone texts a line, or a group that both are in.')
    .argument('<text>', 'what it says')
    .requiredOption('--phone <handle>', "the phone's handle; any will do")
    .option('--to <line>', 'the line (handle or ln_ id) or the group (cht_); not needed with only one line')
    .action(async (text: string, options: { readonly phone: string; readonly to?: string }, command: Command) => {
      const session = openSession(surroundings, command);
      const to = await chooseLine(session.api, options.to, '--to');
      const answer = await session.api.call('POST', `${BASE}/messages`, { body: { from: options.phone, to, text } });
      show(session, answer, `${options.phone} wrote to ${to}: ${textOf(answer, 'guid')}`);
    });
  simulate
    .command('group')
    .description('Makes a group of a line and some phones.')
    .requiredOption('--phone <handle>', 'a phone in it; can be given again', gather)
    .option('--line <line>', 'the line (handle or ln_ id); not needed where there is only one')
    .option('--name <name>', "the group's name")
    .action(async (options: { phone: readonly string[]; line?: string; name?: string }, command: Command) => {
      const session = openSession(surroundings, command);
      const line = await chooseLine(session.api, options.line, '--line');
      const name = options.name === undefined ? {} : { name: options.name };
      const body = { line, participants: options.phone, ...name };
      const answer = await session.api.call('POST', `${BASE}/groups`, { body });
      show(session, answer, `Made the group ${textOf(answer, 'chat_id')}.`);
    });
  simulate
    .command('phone')
    .description('Shows what a phone sees, oldest first.')
    .argument('<handle>', "the phone's handle")
    .option('--line <line>', 'only what it says with this line (handle or ln_ id)')
    .action(async (handle: string, options: { readonly line?: string }, command: Command) => {
      await showPhone(openSession(surroundings, command), handle, options.line);
    });
}

async function showPhone({ api, terminal, isJson }: Session, handle: string, line: string | undefined): Promise<void> {
  const path = `${BASE}/phones/${encodeURIComponent(handle)}/messages`;
  const table = createTable(terminal, ['SENT', 'LINE', 'SENDER', 'STATE', 'TEXT'], true);
  for await (const messages of api.pages(path, { line }, Number.MAX_SAFE_INTEGER)) {
    if (isJson) for (const message of messages) terminal.printJson(message);
    else table.add(messages.map(rowOf));
  }
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
  show(session, answer, options.clear === true ? `${line} has no faults.` : `${line} has faults now.`);
}

async function setAutoreply(session: Session, phone: string, options: AutoreplyOptions): Promise<void> {
  const { text, echo, off } = options;
  const named = [text, echo, off].filter((one) => one !== undefined);
  if (named.length !== 1) throw usageFailure('Say one of --text, --echo and --off.');
  const body = { phone, ...(text === undefined ? {} : { text }), ...(echo === undefined ? {} : { echo }) };
  const answer = await session.api.call('POST', `${BASE}/autoreply`, { body });
  show(session, answer, off === true ? `${phone} answers no more.` : `${phone} answers now.`);
}

function show({ terminal, isJson }: Session, answer: Fields, sentence: string): void {
  if (isJson) terminal.printJson(answer);
  else terminal.print(sentence);
}

function rowOf(message: Fields): string[] {
  return [
    formatMoment(numberOf(message, 'sent_at')),
    textOf(message, 'line') ?? '-',
    message['from_me'] === true ? 'the phone' : (textOf(message, 'sender') ?? '-'),
    textOf(message, 'state') ?? '-',
    textOf(message, 'text') ?? '',
  ];
}
