/** `trunkline lines`: the account's lines. */
import { type Command, Option } from 'commander';
import { usageFailure } from '../failure.ts';
import { asFields, type Fields, listOf, numberOf, textOf } from '../fields.ts';
import { onOff, wholeNumber } from '../option-values.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';

const PACE_MAX_MS = 600_000;
const DRIVERS = ['simulator', 'remote'];
const HEAD = ['HANDLE', 'ID', 'LABEL', 'DRIVER', 'STATE', 'PACE', 'CONTACT FIRST', 'STOP WORDS'];
const SERVICES = ['imessage', 'sms', 'auto'];

interface AddOptions {
  readonly driver: string;
  readonly label?: string;
  readonly service?: string;
}

interface RemoveOptions {
  readonly purge?: boolean;
  readonly yes?: boolean;
}

interface SetOptions {
  readonly contactFirst?: boolean;
  readonly optOutKeywords?: boolean;
  readonly paceMs?: number;
  readonly label?: string;
  readonly active?: boolean;
}

export function addLinesCommand(program: Command, surroundings: Surroundings): void {
  const lines = program
    .command('lines')
    .summary('list, add, change and remove lines')
    .description("The account's lines.");
  lines
    .command('list')
    .description('Lists the lines with their health.')
    .option('--removed', 'those that were removed, too')
    .action(async (options: { readonly removed?: boolean }, command: Command) => {
      await listLines(openSession(surroundings, command), options.removed === true);
    });
  lines
    .command('add')
    .description(
      'Adds a line, or brings one back that was removed. It runs within a second, a remote one when its agent is there.',
    )
    .argument('<handle>', 'a phone number in E.164, or an e-mail address')
    .addOption(
      new Option('--driver <name>', 'how the line is reached: remote by an agent')
        .choices(DRIVERS)
        .default('simulator'),
    )
    .option('--label <text>', 'what people call it')
    .addOption(new Option('--service <name>', 'the network that it uses').choices(SERVICES))
    .action(async (handle: string, options: AddOptions, command: Command) => {
      await addLine(openSession(surroundings, command), handle, options);
    });
  lines
    .command('set')
    .description('Changes a line. It holds within a second.')
    .argument('<line>', 'the line (handle or ln_ id)')
    .option('--contact-first <on|off>', 'whether it writes only to those who wrote to it before', onOff)
    .option('--opt-out-keywords <on|off>', 'whether a phone opts out by STOP, and in again by START', onOff)
    .option('--pace-ms <ms>', 'milliseconds between two messages; 0 for none', wholeNumber(0, PACE_MAX_MS))
    .option('--label <text>', 'what people call it; empty for none')
    .option('--active <on|off>', 'whether it runs', onOff)
    .action(async (line: string, options: SetOptions, command: Command) => {
      await setLine(openSession(surroundings, command), line, options);
    });
  lines
    .command('remove')
    .description('Removes a line: its driver stops, what waits to be sent fails, its webhooks are disabled.')
    .argument('<line>', 'the line (handle or ln_ id)')
    .option('--purge', 'delete its chats, messages and events too')
    .option('--yes', 'do not ask')
    .action(async (line: string, options: RemoveOptions, command: Command) => {
      await removeLine(openSession(surroundings, command), line, options);
    });
}

async function listLines({ api, terminal, isJson }: Session, isWithRemoved: boolean): Promise<void> {
  const answer = await api.call('GET', '/admin/v1/lines', { query: { removed: isWithRemoved ? true : null } });
  const lines = listOf(answer, 'data').map(asFields);
  if (isJson) for (const line of lines) terminal.printJson(line);
  else createTable(terminal, HEAD).add(lines.map(rowOf));
}

async function addLine({ api, terminal, isJson }: Session, handle: string, options: AddOptions): Promise<void> {
  const { driver, label, service } = options;
  const chosen = { ...(label === undefined ? {} : { label }), ...(service === undefined ? {} : { service }) };
  const line = await api.call('POST', '/admin/v1/lines', { body: { handle, driver, ...chosen } });
  if (isJson) terminal.printJson(line);
  else terminal.print(`Added ${textOf(line, 'handle')} (${textOf(line, 'id')}).`);
}

async function setLine({ api, terminal, isJson }: Session, name: string, options: SetOptions): Promise<void> {
  const settings = {
    ...(options.contactFirst === undefined ? {} : { contact_first: options.contactFirst }),
    ...(options.optOutKeywords === undefined ? {} : { opt_out_keywords: options.optOutKeywords }),
    ...(options.paceMs === undefined ? {} : { pace_ms: options.paceMs }),
  };
  const body = {
    ...(options.label === undefined ? {} : { label: options.label }),
    ...(options.active === undefined ? {} : { is_active: options.active }),
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
  };
  if (Object.keys(body).length === 0) throw usageFailure('Say what to change, with at least one option.');
  const line = await api.call('PATCH', linePath(name), { body });
  if (isJson) terminal.printJson(line);
  else terminal.print(`Changed ${textOf(line, 'handle')} (${textOf(line, 'id')}).`);
}

async function removeLine({ api, terminal, isJson }: Session, name: string, options: RemoveOptions): Promise<void> {
  const isPurge = options.purge === true;
  if (options.yes !== true) {
    const line = await api.call('GET', linePath(name));
    const end = isPurge ? ' and delete its chats and messages for good' : '';
    await terminal.confirm(`Remove ${textOf(line, 'handle')} (${textOf(line, 'label') ?? 'no label'})${end}?`);
  }
  const answer = await api.call('DELETE', linePath(name), { query: { purge: isPurge ? true : null } });
  if (isJson) terminal.printJson(answer);
  else terminal.print(`Removed ${name}${isPurge ? ' with its chats and messages' : ''}.`);
}

function linePath(name: string): string {
  return `/admin/v1/lines/${encodeURIComponent(name)}`;
}

function rowOf(line: Fields): string[] {
  const settings = asFields(line['settings']);
  const pace = numberOf(settings, 'pace_ms') ?? 0;
  return [
    textOf(line, 'handle') ?? '-',
    textOf(line, 'id') ?? '-',
    textOf(line, 'label') ?? '-',
    `${textOf(line, 'driver') ?? '-'}${line['is_sandbox'] === true ? ' (sandbox)' : ''}`,
    stateOf(line),
    pace === 0 ? '-' : `${pace} ms`,
    settings['contact_first'] === true ? 'on' : 'off',
    settings['opt_out_keywords'] === true ? 'on' : 'off',
  ];
}

function stateOf(line: Fields): string {
  if (numberOf(line, 'removed_at') !== null) return 'removed';
  if (line['is_active'] !== true) return 'off';
  const health = asFields(line['health']);
  const reason = textOf(health, 'reason');
  return `${textOf(health, 'state') ?? 'unknown'}${reason === null ? '' : ` (${reason})`}`;
}
