/** `trunkline simulate react`, `type`, `read`, `edit`, `unsend`: what a phone does besides writing. */
import { Argument, type Command } from 'commander';
import { showAnswer } from '../answer.ts';
import { chooseLine } from '../chosen-line.ts';
import type { Fields } from '../fields.ts';
import { openSession, type Surroundings } from '../surroundings.ts';
import { TAPBACKS } from '../tapbacks.ts';

const BASE = '/simulator/v1';

interface MessageOptions {
  readonly phone: string;
  readonly message: string;
  readonly off?: boolean;
}

interface ChatOptions {
  readonly phone: string;
  readonly to?: string;
  readonly off?: boolean;
}

export function addPhoneActs(simulate: Command, surroundings: Surroundings): void {
  addMessageActs(simulate, surroundings);
  const act = async (command: Command, path: string, options: ChatOptions, body: Fields, done: string) => {
    const session = openSession(surroundings, command);
    const to = await chooseLine(session.api, options.to, '--to');
    const answer = await session.api.call('POST', `${BASE}${path}`, { body: { from: options.phone, to, ...body } });
    showAnswer(session, answer, `${options.phone} ${done} ${to}.`);
  };
  chatAct(simulate, 'type')
    .description('A phone begins to type.')
    .option('--off', 'it ceases to type')
    .action(async (options: ChatOptions, command: Command) => {
      const [state, done] = options.off === true ? ['off', 'types no more to'] : ['on', 'types to'];
      await act(command, '/typing', options, { state }, done);
    });
  chatAct(simulate, 'read')
    .description('A phone reads its chat with a line, or a group.')
    .action(async (options: ChatOptions, command: Command) => {
      await act(command, '/reads', options, {}, 'has read its chat with');
    });
}

function addMessageActs(simulate: Command, surroundings: Surroundings): void {
  const act = async (command: Command, path: string, options: MessageOptions, body: Fields, done: string) => {
    const session = openSession(surroundings, command);
    const { phone, message } = options;
    const answer = await session.api.call('POST', `${BASE}${path}`, {
      body: { from: phone, message_id: message, ...body },
    });
    showAnswer(session, answer, `${phone} ${done} ${message}.`);
  };
  messageAct(simulate, 'react')
    .description('A phone reacts to a message.')
    .addArgument(new Argument('<type>', 'which tapback').choices(TAPBACKS))
    .option('--off', 'it takes the reaction off')
    .action(async (type: string, options: MessageOptions, command: Command) => {
      const [added, done] = options.off === true ? [false, 'takes its reaction off'] : [true, 'reacts to'];
      await act(command, '/reactions', options, { type, added }, done);
    });
  messageAct(simulate, 'edit')
    .description('A phone changes a message that it wrote.')
    .argument('<text>', 'what it says now')
    .action(async (text: string, options: MessageOptions, command: Command) => {
      await act(command, '/edits', options, { text }, 'changes');
    });
  messageAct(simulate, 'unsend')
    .description('A phone takes back a message that it wrote.')
    .action(async (options: MessageOptions, command: Command) => {
      await act(command, '/unsends', options, {}, 'takes back');
    });
}

function chatAct(simulate: Command, name: string): Command {
  return simulate
    .command(name)
    .requiredOption('--phone <handle>', "the phone's handle")
    .option('--to <line>', 'the line (handle or ln_ id) or the group (cht_); not needed with only one line');
}

function messageAct(simulate: Command, name: string): Command {
  return simulate
    .command(name)
    .requiredOption('--phone <handle>', "the phone's handle")
    .requiredOption('--message <id>', 'the message (msg_, or its GUID)');
}
