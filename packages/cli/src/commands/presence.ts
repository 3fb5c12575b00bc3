/** `trunkline typing`, `trunkline read` and `trunkline receipts`: being there in a chat, and seeing that others were. */
import type { Command } from 'commander';
import { postItem } from '../accepted-item.ts';
import { chooseLine } from '../chosen-line.ts';
import { type Fields, numberOf, textOf } from '../fields.ts';
import { formatMoment } from '../moment.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';

interface ChatOptions {
  readonly from?: string;
  readonly to: string;
}

interface TypingOptions extends ChatOptions {
  readonly off?: boolean;
  readonly wait?: boolean;
}

export function addPresenceCommands(program: Command, surroundings: Surroundings): void {
  chatCommand(program, 'typing')
    .summary('show that the line is typing')
    .description('Shows that the line is typing. Typing that nobody ends is over after a minute.')
    .option('--off', 'it types no longer')
    .option('--wait', 'wait until it was sent or has failed')
    .action(async (options: TypingOptions, command: Command) => {
      const session = openSession(surroundings, command);
      const body = { ...(await chatOf(session, options)), state: options.off === true ? 'off' : 'on' };
      await postItem(session, '/v1/typing', body, { wait: options.wait === true });
    });
  chatCommand(program, 'read')
    .summary('mark a chat as read')
    .description('Marks a chat as read, which the other side sees.')
    .option('--wait', 'wait until it was sent or has failed')
    .action(async (options: TypingOptions, command: Command) => {
      const session = openSession(surroundings, command);
      await postItem(session, '/v1/receipts', await chatOf(session, options), { wait: options.wait === true });
    });
}

export function addReceiptsCommand(program: Command, surroundings: Surroundings): void {
  chatCommand(program, 'receipts')
    .summary('list who has read a chat')
    .description('Lists how far the others have read a chat.')
    .action(async (options: ChatOptions, command: Command) => {
      const session = openSession(surroundings, command);
      const { api, terminal, isJson } = session;
      const query = await chatOf(session, options);
      const table = createTable(terminal, ['WHO', 'READ UNTIL', 'ID']);
      for await (const receipts of api.pages('/v1/receipts', query, Number.MAX_SAFE_INTEGER)) {
        if (isJson) for (const receipt of receipts) terminal.printJson(receipt);
        else table.add(receipts.map(rowOf));
      }
    });
}

function chatCommand(program: Command, name: string): Command {
  return program
    .command(name)
    .requiredOption('--to <handle>', 'whom the chat is with: a handle, or a chat (cht_)')
    .option('--from <line>', 'the line (handle or ln_ id); not needed where there is only one');
}

async function chatOf({ api }: Session, { from, to }: ChatOptions) {
  return { from: await chooseLine(api, from, '--from'), to };
}

function rowOf(receipt: Fields): string[] {
  return [
    textOf(receipt, 'handle') ?? '-',
    formatMoment(numberOf(receipt, 'last_read_at')),
    textOf(receipt, 'id') ?? '-',
  ];
}
