/** `trunkline webhooks`: who is told of what happens. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { chooseLine } from '../chosen-line.ts';
import { type Fields, listOf, numberOf, textOf } from '../fields.ts';
import { formatMoment } from '../moment.ts';
import { gather, wholeNumber } from '../option-values.ts';
import { postPatiently } from '../patient-call.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';

const BASE = '/admin/v1/webhooks';
const OVERLAP_HOURS_MAX = 168;

interface CreateOptions {
  readonly from?: string;
  readonly url: string;
  readonly events: readonly string[];
}

export function addWebhooksCommand(program: Command, surroundings: Surroundings): void {
  const webhooks = program
    .command('webhooks')
    .summary('create, list, rotate, enable and disable webhooks')
    .description("The account's webhooks.");
  addListAndCreate(webhooks, surroundings);
  webhooks
    .command('rotate')
    .description('Makes a new secret and prints it, this once. The old one counts beside it for a while.')
    .argument('<id>', 'the webhook (wh_)')
    .option(
      '--overlap-hours <hours>',
      'how long the old one counts; 0 ends it now; by default 24',
      wholeNumber(0, OVERLAP_HOURS_MAX),
    )
    .action(async (id: string, options: { readonly overlapHours?: number }, command: Command) => {
      await rotateSecret(openSession(surroundings, command), id, options.overlapHours);
    });
  webhooks
    .command('enable')
    .description('Makes a webhook active again: it is told of what happens from now on.')
    .argument('<id>', 'the webhook (wh_)')
    .action(async (id: string, _options: unknown, command: Command) => {
      await setActive(openSession(surroundings, command), id, true);
    });
  webhooks
    .command('disable')
    .description('Switches a webhook off. What is due to it is dropped, and can be sent again.')
    .argument('<id>', 'the webhook (wh_)')
    .action(async (id: string, _options: unknown, command: Command) => {
      await setActive(openSession(surroundings, command), id, false);
    });
  webhooks
    .command('delete')
    .description('Deletes a webhook for good.')
    .argument('<id>', 'the webhook (wh_)')
    .option('--yes', 'do not ask')
    .action(async (id: string, options: { readonly yes?: boolean }, command: Command) => {
      await deleteWebhook(openSession(surroundings, command), id, options.yes === true);
    });
}

function addListAndCreate(webhooks: Command, surroundings: Surroundings): void {
  webhooks
    .command('list')
    .description('Lists the webhooks, newest first, and says why one is off.')
    .option('--line <line>', 'only those of this line (handle or ln_ id)')
    .action(async (options: { readonly line?: string }, command: Command) => {
      await listWebhooks(openSession(surroundings, command), options.line);
    });
  webhooks
    .command('create')
    .description('Makes a webhook and prints its secret, this once.')
    .option('--from <line>', 'the line (handle or ln_ id); not needed where there is only one')
    .requiredOption('--url <url>', 'where its events are posted to')
    .requiredOption('--events <names>', 'what it is told of, with commas between', gather)
    .action(async (options: CreateOptions, command: Command) => {
      await createWebhook(openSession(surroundings, command), options);
    });
}

async function listWebhooks({ api, terminal, isJson }: Session, line: string | undefined): Promise<void> {
  const table = createTable(terminal, ['ID', 'KIND', 'LINE', 'URL', 'EVENTS', 'NEWEST', 'STATE']);
  for await (const webhooks of api.pages(BASE, { line }, Number.MAX_SAFE_INTEGER)) {
    if (isJson) for (const webhook of webhooks) terminal.printJson(webhook);
    else table.add(webhooks.map(rowOf));
  }
}

async function createWebhook(session: Session, { from, url, events }: CreateOptions): Promise<void> {
  const line = await chooseLine(session.api, from, '--from');
  const webhook = await postOnce(session, '/v1/webhooks', { from: line, url, events });
  showSecret(session, webhook, `Made ${textOf(webhook, 'id')}. Its secret is shown this once:`);
}

async function rotateSecret(session: Session, id: string, hours: number | undefined): Promise<void> {
  const body = hours === undefined ? {} : { overlap_hours: hours };
  const webhook = await postOnce(session, `${webhookPath(id)}/rotate`, body);
  const endsAt = numberOf(webhook, 'previous_secret_ends_at');
  const old = endsAt === null ? 'The old secret has ended.' : `The old secret counts until ${formatMoment(endsAt)}.`;
  showSecret(session, webhook, `${old} The new one is shown this once:`);
}

/** A lost answer is asked for again: the secret would be lost with it. */
function postOnce({ api, terminal, wait }: Session, path: string, body: Fields): Promise<Fields> {
  const request = { body, idempotencyKey: `cli-${randomUUID()}` };
  return postPatiently(api, path, request, { wait, note: terminal.note });
}

function showSecret({ terminal, isJson }: Session, webhook: Fields, sentence: string): void {
  if (isJson) {
    terminal.printJson(webhook);
    return;
  }
  terminal.note(sentence);
  terminal.print(textOf(webhook, 'secret') ?? '');
}

async function setActive({ api, terminal, isJson }: Session, id: string, isActive: boolean): Promise<void> {
  const webhook = await api.call('PATCH', webhookPath(id), { body: { is_active: isActive } });
  if (isJson) terminal.printJson(webhook);
  else terminal.print(isActive ? `${id} is active.` : `${id} is switched off.`);
}

async function deleteWebhook({ api, terminal, isJson }: Session, id: string, isSure: boolean): Promise<void> {
  if (!isSure) {
    const webhook = await api.call('GET', webhookPath(id));
    await terminal.confirm(`Delete ${id} (${textOf(webhook, 'url')})? It cannot be undone.`);
  }
  const answer = await api.call('DELETE', '/v1/webhooks', { body: { id } });
  if (isJson) terminal.printJson(answer);
  else terminal.print(`Deleted ${id}.`);
}

function webhookPath(id: string): string {
  return `${BASE}/${encodeURIComponent(id)}`;
}

function rowOf(webhook: Fields): string[] {
  return [
    textOf(webhook, 'id') ?? '-',
    textOf(webhook, 'kind') ?? '-',
    textOf(webhook, 'line_handle') ?? 'all',
    textOf(webhook, 'url') ?? '-',
    listOf(webhook, 'events').join(','),
    newestOf(webhook),
    stateOf(webhook),
  ];
}

function newestOf(webhook: Fields): string {
  const newest = webhook['newest_delivery'];
  if (typeof newest !== 'object' || newest === null || !('state' in newest)) return '-';
  return String(newest.state);
}

function stateOf(webhook: Fields): string {
  const reason = textOf(webhook, 'disabled_reason');
  if (webhook['is_active'] !== true) return reason === null ? 'off' : `off (${reason})`;
  const failingSince = numberOf(webhook, 'failing_since');
  return failingSince === null ? 'active' : `failing since ${formatMoment(failingSince)}`;
}
