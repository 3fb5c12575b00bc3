/** `trunkline chats`: the conversations of a line, the latest activity first. */
import type { Command } from 'commander';
import { chooseLine } from '../chosen-line.ts';
import { type Fields, listOf, numberOf, textOf } from '../fields.ts';
import { formatMoment } from '../moment.ts';
import { wholeNumber } from '../option-values.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 1_000_000;

interface ChatsOptions {
  readonly from?: string;
  readonly limit: number;
  readonly all?: boolean;
}

export function addChatsCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('chats')
    .summary('list the chats of a line')
    .description('Lists the chats of a line, the latest activity first.')
    .option('--from <line>', 'the line (handle or ln_ id); not needed where there is only one')
    .option('--limit <count>', 'how many at most', wholeNumber(1, LIMIT_MAX), LIMIT_DEFAULT)
    .option('--all', 'all of them')
    .action(async (options: ChatsOptions, command: Command) => {
      await listChats(openSession(surroundings, command), options);
    });
}

async function listChats({ api, terminal, isJson }: Session, options: ChatsOptions): Promise<void> {
  const from = await chooseLine(api, options.from, '--from');
  const rowsMax = options.all === true ? Number.MAX_SAFE_INTEGER : options.limit;
  const table = createTable(terminal, ['LATEST', 'ID', 'SERVICE', 'WROTE', 'WITH'], true);
  for await (const chats of api.pages('/v1/chats', { from }, rowsMax)) {
    if (isJson) for (const chat of chats) terminal.printJson(chat);
    else table.add(chats.map(rowOf));
  }
}

function rowOf(chat: Fields): string[] {
  return [
    formatMoment(numberOf(chat, 'last_message_at')),
    textOf(chat, 'id') ?? '-',
    textOf(chat, 'service') ?? '-',
    chat['has_received_inbound'] === true ? 'yes' : 'no',
    peersOf(chat),
  ];
}

function peersOf(chat: Fields): string {
  if (chat['is_group'] !== true) return textOf(chat, 'identifier') ?? '-';
  return `${textOf(chat, 'name') ?? 'a group'} (${listOf(chat, 'participants').join(', ')})`;
}
