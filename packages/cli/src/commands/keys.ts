/** `trunkline keys`: the account's API keys. */
import type { Command } from 'commander';
import { type Fields, listOf, numberOf, textOf } from '../fields.ts';
import { formatMoment, parseExpiry } from '../moment.ts';
import { gather, wholeNumber } from '../option-values.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';

const RATE_LIMIT_MAX = 1_000_000_000;
const SCOPES_SHOWN_MAX = 2;

interface CreateOptions {
  readonly name: string;
  readonly scopes?: readonly string[];
  readonly line?: readonly string[];
  readonly expires?: string;
  readonly rateLimit?: number;
}

export function addKeysCommand(program: Command, surroundings: Surroundings): void {
  const keys = program
    .command('keys')
    .summary('create, list and revoke API keys')
    .description("The account's API keys.");
  keys
    .command('create')
    .description('Makes a key and prints it, this once.')
    .requiredOption('--name <name>', 'what you will know it by')
    .option('--scopes <scopes>', 'what it may do, with commas between; by default what the API has and you may', gather)
    .option('--line <line>', 'a line that it is limited to (handle or ln_ id); can be given again', gather)
    .option('--expires <when>', 'a duration such as 30d or 12h, or a date')
    .option('--rate-limit <count>', 'requests in an hour', wholeNumber(1, RATE_LIMIT_MAX))
    .action(async (options: CreateOptions, command: Command) => {
      await createKey(openSession(surroundings, command), options);
    });
  keys
    .command('list')
    .description('Lists the keys, newest first, the revoked ones too.')
    .action(async (_options: unknown, command: Command) => {
      await listKeys(openSession(surroundings, command));
    });
  keys
    .command('revoke')
    .description('Revokes a key for good, within a second.')
    .argument('<id>', 'the key (key_)')
    .option('--yes', 'do not ask')
    .action(async (id: string, options: { readonly yes?: boolean }, command: Command) => {
      await revokeKey(openSession(surroundings, command), id, options.yes === true);
    });
}

async function createKey({ api, terminal, now, isJson }: Session, options: CreateOptions): Promise<void> {
  const body = {
    name: options.name,
    ...(options.scopes === undefined ? {} : { scopes: options.scopes }),
    ...(options.line === undefined ? {} : { line_ids: options.line }),
    ...(options.expires === undefined ? {} : { expires_at: parseExpiry(options.expires, now()) }),
    ...(options.rateLimit === undefined ? {} : { rate_limit_per_hour: options.rateLimit }),
  };
  const key = await api.call('POST', '/admin/v1/keys', { body });
  if (isJson) return terminal.printJson(key);
  terminal.note(`Made ${textOf(key, 'id')}. The key is shown this once:`);
  terminal.print(textOf(key, 'key') ?? '');
}

async function listKeys({ api, terminal, now, isJson }: Session): Promise<void> {
  const table = createTable(terminal, ['ID', 'NAME', 'PREFIX', 'SCOPES', 'LINES', 'LAST USED', 'EXPIRES', 'STATE']);
  for await (const keys of api.pages('/admin/v1/keys', {}, Number.MAX_SAFE_INTEGER)) {
    if (isJson) for (const key of keys) terminal.printJson(key);
    else table.add(keys.map((key) => rowOf(key, now())));
  }
}

async function revokeKey({ api, terminal, isJson }: Session, id: string, isSure: boolean): Promise<void> {
  const path = `/admin/v1/keys/${encodeURIComponent(id)}`;
  if (!isSure) {
    const key = await api.call('GET', path);
    await terminal.confirm(`Revoke ${id} (${textOf(key, 'name')}, ${textOf(key, 'prefix')})? It cannot be undone.`);
  }
  const answer = await api.call('DELETE', path);
  if (isJson) terminal.printJson(answer);
  else terminal.print(`Revoked ${id}.`);
}

function rowOf(key: Fields, now: number): string[] {
  const scopes = listOf(key, 'scopes');
  const expiresAt = numberOf(key, 'expires_at');
  const isExpired = expiresAt !== null && expiresAt <= now;
  return [
    textOf(key, 'id') ?? '-',
    textOf(key, 'name') ?? '-',
    textOf(key, 'prefix') ?? '-',
    scopes.length > SCOPES_SHOWN_MAX ? `${scopes.length} scopes` : scopes.join(','),
    Array.isArray(key['line_ids']) ? listOf(key, 'line_ids').join(',') : 'all',
    formatMoment(numberOf(key, 'last_used_at')),
    formatMoment(expiresAt),
    numberOf(key, 'revoked_at') !== null ? 'revoked' : isExpired ? 'expired' : 'valid',
  ];
}
