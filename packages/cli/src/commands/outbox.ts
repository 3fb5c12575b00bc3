/** `trunkline outbox ID`: what became of something that was accepted. */
import type { Command } from 'commander';
import { asFields, type Fields, numberOf, textOf } from '../fields.ts';
import { formatMoment } from '../moment.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';

export function addOutboxCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('outbox')
    .summary('show what became of something that was accepted')
    .description('Shows an outbox item: whether it waits, was sent or has failed, and why.')
    .argument('<id>', 'the outbox item (obx_)')
    .action(async (id: string, _options: unknown, command: Command) => {
      await showItem(openSession(surroundings, command), id);
    });
}

async function showItem({ api, terminal, isJson }: Session, id: string): Promise<void> {
  const item = await api.call('GET', '/v1/outbox', { query: { id } });
  if (isJson) terminal.printJson(item);
  else createTable(terminal, ['ID', 'KIND', 'STATUS', 'ATTEMPTS', 'ACCEPTED', 'ENDED', 'ERROR']).add([rowOf(item)]);
}

function rowOf(item: Fields): string[] {
  return [
    textOf(item, 'id') ?? '-',
    textOf(asFields(item['payload']), 'kind') ?? '-',
    textOf(item, 'status') ?? '-',
    `${numberOf(item, 'attempts') ?? 0} of ${numberOf(item, 'max_attempts') ?? '-'}`,
    formatMoment(numberOf(item, 'created_at')),
    formatMoment(numberOf(item, 'completed_at')),
    textOf(item, 'error') ?? '-',
  ];
}
