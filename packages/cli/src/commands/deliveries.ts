/** `trunkline deliveries`: what was sent to webhooks, and sending it again. */
import { randomUUID } from 'node:crypto';
import { type Command, Option } from 'commander';
import type { Query } from '../api.ts';
import { usageFailure } from '../failure.ts';
import { type Fields, numberOf, textOf } from '../fields.ts';
import { formatInstant, formatMoment, parseSince } from '../moment.ts';
import { wholeNumber } from '../option-values.ts';
import { postPatiently } from '../patient-call.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';

const BASE = '/admin/v1/deliveries';
const LIMIT_MAX = 1_000_000;
const LIMIT_DEFAULT = 50;
const STATES = ['new', 'retry', 'delivered', 'failed', 'dropped'];
const RESEND_STATES = ['failed', 'dropped', 'delivered', 'all'];

interface ListOptions {
  readonly webhook?: string;
  readonly state?: string;
  readonly event?: string;
  readonly since?: string;
  readonly limit: number;
  readonly all?: boolean;
}

interface ResendOptions {
  readonly webhook?: string;
  readonly since?: string;
  readonly state?: string;
}

export function addDeliveriesCommand(program: Command, surroundings: Surroundings): void {
  const deliveries = program
    .command('deliveries')
    .summary('list what was sent to webhooks, and send it again')
    .description('What was sent to webhooks, or is to be.');
  deliveries
    .command('list')
    .description('Lists deliveries, newest first.')
    .option('--webhook <id>', 'only those to this webhook (wh_)')
    .addOption(new Option('--state <state>', 'only those in this state').choices(STATES))
    .option('--event <name>', 'only those of this event')
    .option('--since <when>', 'only those since then: a duration such as 2h or 30m, or a date')
    .option('--limit <count>', 'how many at most', wholeNumber(1, LIMIT_MAX), LIMIT_DEFAULT)
    .option('--all', 'all of them')
    .action(async (options: ListOptions, command: Command) => {
      await listDeliveries(openSession(surroundings, command), options);
    });
  deliveries
    .command('show')
    .description('Shows a delivery with its attempts and its body.')
    .argument('<id>', 'the delivery (dlv_)')
    .action(async (id: string, _options: unknown, command: Command) => {
      await showDelivery(openSession(surroundings, command), id);
    });
  deliveries
    .command('resend')
    .description('Sends a delivery again, or those to a webhook that did not arrive since some time.')
    .argument('[id]', 'the delivery (dlv_)')
    .option('--webhook <id>', 'the webhook (wh_) instead')
    .option('--since <when>', 'since when: a duration such as 2h or 30m, or a date')
    .addOption(new Option('--state <state>', 'only those in this state').choices(RESEND_STATES))
    .action(async (id: string | undefined, options: ResendOptions, command: Command) => {
      await resend(openSession(surroundings, command), id, options);
    });
}

async function listDeliveries({ api, terminal, now, isJson }: Session, options: ListOptions): Promise<void> {
  const { webhook, state, event, since } = options;
  const query: Query = { webhook, state, event, since: since === undefined ? null : parseSince(since, now()) };
  const rowsMax = options.all === true ? Number.MAX_SAFE_INTEGER : options.limit;
  const table = createTable(terminal, ['MADE', 'ID', 'WEBHOOK', 'EVENT', 'STATE', 'ATTEMPTS', 'LAST'], true);
  for await (const deliveries of api.pages(BASE, query, rowsMax)) {
    if (isJson) for (const delivery of deliveries) terminal.printJson(delivery);
    else if (deliveries.length > 0) table.add(deliveries.map(rowOf));
  }
}

async function showDelivery({ api, terminal, isJson }: Session, id: string): Promise<void> {
  const delivery = await api.call('GET', deliveryPath(id));
  const attempts: Fields[] = [];
  for await (const page of api.pages(`${deliveryPath(id)}/attempts`, {}, Number.MAX_SAFE_INTEGER)) {
    attempts.push(...page);
  }
  if (isJson) return terminal.printJson({ ...delivery, attempt_log: attempts });
  const next = numberOf(delivery, 'next_attempt_at');
  const due = next === null ? '' : `, next attempt ${formatMoment(next)}`;
  terminal.print(`${textOf(delivery, 'id')}  ${textOf(delivery, 'state')}${due}`);
  // A callback's webhook has the origin alone.
  const address = textOf(delivery, 'kind') === 'callback' ? ` at ${textOf(delivery, 'url')}` : '';
  const to = `${textOf(delivery, 'webhook_id')}${address}`;
  terminal.print(`${textOf(delivery, 'event')} (${textOf(delivery, 'event_id')}) to ${to}`);
  createTable(terminal, ['ATTEMPT', 'AT', 'TOOK', 'OUTCOME', 'ANSWER'], true).add(attempts.map(attemptRow));
  terminal.printJson(delivery['body']);
}

async function resend(session: Session, id: string | undefined, options: ResendOptions): Promise<void> {
  const { webhook, since, state } = options;
  const { api, terminal, wait, now, isJson } = session;
  if ((id === undefined) === (webhook === undefined)) throw usageFailure('Name a delivery, or --webhook.');
  if (id !== undefined && (since !== undefined || state !== undefined))
    throw usageFailure('--since and --state go with --webhook.');
  if (webhook !== undefined && since === undefined) throw usageFailure('Say since when with --since.');
  const path = id === undefined ? `/admin/v1/webhooks/${encodeURIComponent(webhook ?? '')}` : deliveryPath(id);
  const body = {
    ...(since === undefined ? {} : { since: parseSince(since, now()) }),
    ...(state === undefined ? {} : { state }),
  };
  const request = { body, idempotencyKey: `cli-${randomUUID()}` };
  const answer = await postPatiently(api, `${path}/resend`, request, { wait, note: terminal.note });
  if (isJson) terminal.printJson(answer);
  else if (id !== undefined) terminal.print(`${id} is sent again.`);
  else terminal.print(`${numberOf(answer, 'resent')} deliveries are sent again.`);
}

function deliveryPath(id: string): string {
  return `${BASE}/${encodeURIComponent(id)}`;
}

function rowOf(delivery: Fields): string[] {
  return [
    formatMoment(numberOf(delivery, 'created_at')),
    textOf(delivery, 'id') ?? '-',
    textOf(delivery, 'webhook_id') ?? '-',
    textOf(delivery, 'event') ?? '-',
    textOf(delivery, 'state') ?? '-',
    String(numberOf(delivery, 'attempts') ?? 0),
    textOf(delivery, 'last_error') ?? String(numberOf(delivery, 'last_status') ?? '-'),
  ];
}

function attemptRow(attempt: Fields): string[] {
  return [
    String(numberOf(attempt, 'attempt') ?? '-'),
    formatInstant(numberOf(attempt, 'started_at')),
    `${numberOf(attempt, 'duration_ms') ?? '-'} ms`,
    textOf(attempt, 'error') ?? String(numberOf(attempt, 'status') ?? '-'),
    textOf(attempt, 'answer') ?? '',
  ];
}
