/** `trunkline simulate`: the phones' side of simulated lines. */
import { type Command, Option } from 'commander';
import { showAnswer } from '../answer.ts';
import { chooseLine } from '../chosen-line.ts';
import { type Fields, numberOf, textOf } from '../fields.ts';
import { wordsOf } from '../message-words.ts';
import { formatMoment } from '../moment.ts';
import { gather } from '../option-values.ts';
import { SEND_STYLES } from '../send-styles.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';
import { addPhoneActs } from './simulate-acts.ts';
import { addFaults } from './simulate-faults.ts';
import { addPhoneFiles } from './simulate-files.ts';

const BASE = '/simulator/v1';

interface TextOptions {
  readonly phone: string;
  readonly to?: string;
  readonly replyTo?: string;
  readonly effect?: string;
}

export function addSimulateCommand(program: Command, surroundings: Surroundings): void {
  const description = 'The phones that talk with simulated lines.';
  const simulate = program.command('simulate').summary('be the phones of simulated lines').description(description);
  addConversation(simulate, surroundings);
  addPhoneFiles(simulate, surroundings);
  addPhoneActs(simulate, surroundings);
  addFaults(simulate, surroundings);
}

function addConversation(simulate: Command, surroundings: Surroundings): void {
  simulate
    .command('text')
    .description('A phone texts a line, or a group that both are in.')
    .argument('<text>', 'what it says')
    .requiredOption('--phone <handle>', "the phone's handle; any will do")
    .option('--to <line>', 'the line (handle or ln_ id) or the group (cht_); not needed with only one line')
    .option('--reply-to <id>', 'the message that it replies to (msg_, or its GUID)')
    .addOption(new Option('--effect <effect>', 'the effect that it has').choices(SEND_STYLES))
    .action(async (text: string, options: TextOptions, command: Command) => {
      const session = openSession(surroundings, command);
      const to = await chooseLine(session.api, options.to, '--to');
      const replyTo = options.replyTo === undefined ? {} : { reply_to: options.replyTo };
      const effect = options.effect === undefined ? {} : { effect: options.effect };
      const body = { from: options.phone, to, text, ...replyTo, ...effect };
      const answer = await session.api.call('POST', `${BASE}/messages`, { body });
      showAnswer(session, answer, `${options.phone} wrote to ${to}: ${textOf(answer, 'guid')}`);
    });
  simulate
    .command('group')
    .description('Makes a group of a line and some phones.')
    .requiredOption('--phone <handle>', 'a phone in it; can be given again', gather)
    .option('--line <line>', 'the line (handle or ln_ id); not needed where there is only one')
    .option('--name <name>', "the group's name")
    .action(async (options: { phone: readonly string[]; line?: string; name?: string }, command: Command) => {
      const session = openSession(surroundings, command);
      const line = await chooseLine(session.api, options.line, '--line');
      const name = options.name === undefined ? {} : { name: options.name };
      const body = { line, participants: options.phone, ...name };
      const answer = await session.api.call('POST', `${BASE}/groups`, { body });
      showAnswer(session, answer, `Made the group ${textOf(answer, 'chat_id')}.`);
    });
  simulate
    .command('phone')
    .description('Shows what a phone sees, oldest first.')
    .argument('<handle>', "the phone's handle")
    .option('--line <line>', 'only what it says with this line (handle or ln_ id)')
    .action(async (handle: string, options: { readonly line?: string }, command: Command) => {
      await showPhone(openSession(surroundings, command), handle, options.line);
    });
}

async function showPhone({ api, terminal, isJson }: Session, handle: string, line: string | undefined): Promise<void> {
  const path = `${BASE}/phones/${encodeURIComponent(handle)}/messages`;
  const table = createTable(terminal, ['SENT', 'LINE', 'SENDER', 'STATE', 'TEXT'], true);
  for await (const messages of api.pages(path, { line }, Number.MAX_SAFE_INTEGER)) {
    if (isJson) for (const message of messages) terminal.printJson(message);
    else table.add(messages.map(rowOf));
  }
}

function rowOf(message: Fields): string[] {
  return [
    formatMoment(numberOf(message, 'sent_at')),
    textOf(message, 'line') ?? '-',
    message['from_me'] === true ? 'the phone' : (textOf(message, 'sender') ?? '-'),
    textOf(message, 'state') ?? '-',
    wordsOf(message),
  ];
}
