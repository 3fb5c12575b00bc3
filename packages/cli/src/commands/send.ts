/** `trunkline send`: one message, accepted once however often it has to be asked for. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { chooseLine } from '../chosen-line.ts';
import { EXIT, Failure, Refusal, Unreachable, usageFailure } from '../failure.ts';
import { type Fields, numberOf, textOf } from '../fields.ts';
import { postPatiently } from '../patient-call.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';

const POLL_FIRST_MS = 100;
const POLL_MAX_MS = 5_000;
/** An item whose echo never comes ends after ten minutes. */
const ENDS_WITHIN_MS = 15 * 60_000;

interface SendOptions {
  readonly from?: string;
  readonly to: string;
  readonly wait?: boolean;
  readonly idempotencyKey?: string;
}

export function addSendCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('send')
    .summary('send a message')
    .description(
      'Sends a message. A lost answer is asked for again with the same Idempotency-Key: nothing is sent twice.',
    )
    .argument('<text>', 'what to say; - reads it from stdin')
    .requiredOption('--to <handle>', 'a phone number, an e-mail address, or a chat (cht_)')
    .option('--from <line>', 'the line (handle or ln_ id); not needed where there is only one')
    .option('--wait', 'wait until it was sent or has failed')
    .option('--idempotency-key <key>', 'a key of your own, for a command that may be run again')
    .action(async (text: string, options: SendOptions, command: Command) => {
      await send(openSession(surroundings, command), text, options);
    });
}

async function send(session: Session, words: string, options: SendOptions): Promise<void> {
  const { api, terminal, isJson } = session;
  const text = words === '-' ? (await terminal.readInput()).replace(/\r?\n$/, '') : words;
  if (text === '') throw usageFailure('There is nothing to send: the text is empty.');
  const from = await chooseLine(api, options.from, '--from');
  const idempotencyKey = options.idempotencyKey ?? `cli-${randomUUID()}`;
  const request = { body: { from, to: options.to, text }, idempotencyKey };
  const receipt = await postPatiently(api, '/v1/messages', request, { wait: session.wait, note: terminal.note });
  const id = textOf(receipt, 'id') ?? '';
  if (options.wait !== true) {
    if (isJson) terminal.printJson(receipt);
    else terminal.print(`Accepted: ${id}`);
    return;
  }
  const item = await waitForEnd(session, id);
  if (isJson) terminal.printJson(item);
  if (textOf(item, 'status') === 'failed') {
    throw new Failure(EXIT.refused, `${id} failed: ${textOf(item, 'error') ?? 'no reason is known'}`);
  }
  if (!isJson) terminal.print(`Sent: ${id}${durationOf(item)}`);
}

async function waitForEnd({ api, terminal, now, wait }: Session, id: string): Promise<Fields> {
  const deadline = now() + ENDS_WITHIN_MS;
  let pollMs = POLL_FIRST_MS;
  while (now() < deadline) {
    try {
      const item = await api.call('GET', '/v1/outbox', { query: { id } });
      const status = textOf(item, 'status');
      if (status === 'sent' || status === 'failed') return item;
    } catch (error) {
      if (!isPassing(error)) throw error;
      terminal.note(`${error instanceof Error ? error.message : String(error)} Still waiting for ${id}.`);
      pollMs = POLL_MAX_MS;
    }
    await wait(pollMs);
    pollMs = Math.min(POLL_MAX_MS, pollMs * 1.5);
  }
  throw new Failure(EXIT.refused, `${id} has neither been sent nor failed. Ask again with trunkline explain ${id}.`);
}

/** The message was accepted: a server that is away for a while does not change that. */
function isPassing(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  return error instanceof Refusal && (error.detail.status === 429 || error.detail.status >= 500);
}

function durationOf(item: Fields): string {
  const [from, to] = [numberOf(item, 'created_at'), numberOf(item, 'completed_at')];
  return from === null || to === null ? '' : ` (${to - from} ms)`;
}
