/** `trunkline react`: a tapback on a message. */
import { Argument, type Command } from 'commander';
import { postItem } from '../accepted-item.ts';
import { chooseLine } from '../chosen-line.ts';
import { openSession, type Surroundings } from '../surroundings.ts';
import { TAPBACKS } from '../tapbacks.ts';

interface ReactOptions {
  readonly from?: string;
  readonly to: string;
  readonly message: string;
  readonly wait?: boolean;
}

export function addReactCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('react')
    .summary('react to a message')
    .description('Reacts to a message. Another reaction of the same line takes the place of the one before.')
    .addArgument(new Argument('<type>', 'which tapback').choices(TAPBACKS))
    .requiredOption('--to <handle>', 'whom the chat is with: a handle, or a chat (cht_)')
    .requiredOption('--message <id>', 'the message (msg_, or its GUID)')
    .option('--from <line>', 'the line (handle or ln_ id); not needed where there is only one')
    .option('--wait', 'wait until it was sent or has failed')
    .action(async (type: string, options: ReactOptions, command: Command) => {
      const session = openSession(surroundings, command);
      const from = await chooseLine(session.api, options.from, '--from');
      const body = { from, to: options.to, message_id: options.message, type };
      await postItem(session, '/v1/reactions', body, { wait: options.wait === true });
    });
}
