/** `trunkline explain ID`: what became of a message, step by step. */
import type { Command } from 'commander';
import { usageFailure } from '../failure.ts';
import { asFields, type Fields, listOf, numberOf, textOf } from '../fields.ts';
import { formatInstant } from '../moment.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';
import { toPlainText } from '../terminal.ts';

export function addExplainCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('explain')
    .summary('show the steps of a message, with their times')
    .description('Shows the walk of an outbox item or a message: each step, when it was, and how long it took.')
    .argument('<id>', 'an outbox item (obx_) or a message (msg_)')
    .action(async (id: string, _options: unknown, command: Command) => {
      await explain(openSession(surroundings, command), id);
    });
}

async function explain({ api, terminal, isJson }: Session, id: string): Promise<void> {
  const answer = await api.call('GET', walkPath(id));
  if (isJson) return terminal.printJson(answer);
  for (const line of summaryOf(answer)) terminal.print(line);
  const rows = listOf(answer, 'walk')
    .map(asFields)
    .map((step) => [
      textOf(step, 'step') ?? '-',
      formatInstant(numberOf(step, 'at')),
      millisecondsOf(step),
      textOf(step, 'detail') ?? '',
    ]);
  createTable(terminal, ['STEP', 'AT', 'TOOK', 'DETAIL']).add(rows);
}

function walkPath(id: string): string {
  if (/^obx_\w+$/.test(id)) return `/admin/v1/outbox/${id}`;
  if (/^msg_\w+$/.test(id)) return `/admin/v1/messages/${id}`;
  throw usageFailure(`"${id}" is no outbox item (obx_...) and no message (msg_...).`);
}

function summaryOf(answer: Fields): string[] {
  const item = asFields(answer['outbox_item']);
  const message = asFields(answer['message']);
  const lines: string[] = [];
  const error = textOf(item, 'error');
  if (textOf(item, 'id') !== null) lines.push(`${textOf(item, 'id')}  ${textOf(item, 'status')}`);
  if (error !== null) lines.push(toPlainText(error));
  if (textOf(message, 'id') !== null)
    lines.push(`${textOf(message, 'id')}  ${toPlainText(textOf(message, 'text') ?? '')}`);
  return lines;
}

function millisecondsOf(step: Fields): string {
  const took = numberOf(step, 'took_ms');
  return took === null ? '-' : `${took} ms`;
}
