/** `trunkline messages`: what was said in a chat, newest first. */
import type { Command } from 'commander';
import { chooseLine } from '../chosen-line.ts';
import { type Fields, numberOf, textOf } from '../fields.ts';
import { wordsOf } from '../message-words.ts';
import { formatMoment } from '../moment.ts';
import { wholeNumber } from '../option-values.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 1_000_000;

interface MessagesOptions {
  readonly from?: string;
  readonly to: string;
  readonly limit: number;
  readonly all?: boolean;
}

export function addMessagesCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('messages')
    .summary('list the messages of a chat')
    .description('Lists the messages of a chat, newest first.')
    .requiredOption('--to <handle>', 'whom the chat is with: a handle, or a chat (cht_)')
    .option('--from <line>', 'the line (handle or ln_ id); not needed where there is only one')
    .option('--limit <count>', 'how many at most', wholeNumber(1, LIMIT_MAX), LIMIT_DEFAULT)
    .option('--all', 'all of them')
    .action(async (options: MessagesOptions, command: Command) => {
      await listMessages(openSession(surroundings, command), options);
    });
}

async function listMessages({ api, terminal, isJson }: Session, options: MessagesOptions): Promise<void> {
  const from = await chooseLine(api, options.from, '--from');
  const rowsMax = options.all === true ? Number.MAX_SAFE_INTEGER : options.limit;
  const table = createTable(terminal, ['SENT', 'SENDER', 'ID', 'TEXT'], true);
  for await (const messages of api.pages('/v1/messages', { from, to: options.to }, rowsMax)) {
    if (isJson) for (const message of messages) terminal.printJson(message);
    else table.add(messages.map(rowOf));
  }
}

function rowOf(message: Fields): string[] {
  return [
    formatMoment(numberOf(message, 'sent_at')),
    message['is_from_me'] === true ? 'me' : (textOf(message, 'sender') ?? '-'),
    textOf(message, 'id') ?? '-',
    wordsOf(message),
  ];
}
