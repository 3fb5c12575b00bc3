/** `trunkline reactions MESSAGE`: how people reacted to a message, oldest first. */
import type { Command } from 'commander';
import { asFields, type Fields, listOf, numberOf, textOf } from '../fields.ts';
import { formatMoment } from '../moment.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';

export function addReactionsCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('reactions')
    .summary('list the reactions to a message')
    .description('Lists the reactions to a message, oldest first, those that were taken off too.')
    .argument('<message>', 'the message (msg_, or its GUID)')
    .option('--from <line>', 'the line (handle or ln_ id) that a GUID is meant on')
    .action(async (message: string, options: { readonly from?: string }, command: Command) => {
      await listReactions(openSession(surroundings, command), message, options.from);
    });
}

async function listReactions({ api, terminal, isJson }: Session, message: string, from?: string): Promise<void> {
  // The list comes whole: a message has few reactions.
  const answer = await api.call('GET', '/v1/reactions', { query: { message_id: message, from } });
  const reactions = listOf(answer, 'data').map(asFields);
  if (isJson) for (const reaction of reactions) terminal.printJson(reaction);
  else createTable(terminal, ['AT', 'SENDER', 'TYPE', 'STATE', 'ID']).add(reactions.map(rowOf));
}

function rowOf(reaction: Fields): string[] {
  return [
    formatMoment(numberOf(reaction, 'sent_at')),
    reaction['is_from_me'] === true ? 'me' : (textOf(reaction, 'sender') ?? '-'),
    textOf(reaction, 'type') ?? '-',
    reaction['added'] === true ? 'there' : 'taken off',
    textOf(reaction, 'id') ?? '-',
  ];
}
