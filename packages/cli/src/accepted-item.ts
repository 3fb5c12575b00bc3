/** What becomes of something that the server accepts: an outbox item, which a command may wait for. */
import { randomUUID } from 'node:crypto';
import { EXIT, Failure, Refusal, Unreachable } from './failure.ts';
import { type Fields, numberOf, textOf } from './fields.ts';
import { postPatiently } from './patient-call.ts';
import type { Session } from './surroundings.ts';

const POLL_FIRST_MS = 100;
const POLL_MAX_MS = 5_000;
/** An item whose echo never comes ends after ten minutes. */
const ENDS_WITHIN_MS = 15 * 60_000;

export interface AcceptOptions {
  readonly wait?: boolean;
  readonly idempotencyKey?: string;
}

/** Has it accepted once, however often it has to be asked for, and says what came of it. */
export async function postItem(session: Session, path: string, body: Fields, options: AcceptOptions): Promise<void> {
  const { api, terminal, isJson, wait } = session;
  const request = { body, idempotencyKey: options.idempotencyKey ?? makeIdempotencyKey() };
  const receipt = await postPatiently(api, path, request, { wait, note: terminal.note });
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

export function makeIdempotencyKey(): string {
  return `cli-${randomUUID()}`;
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
