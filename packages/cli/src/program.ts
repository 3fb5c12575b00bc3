/** The tree of commands. What stands here is what `--help`, the completion scripts and the reference page show. */
import { Command, Help } from 'commander';
import { addBackupCommand } from './commands/backup.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addDeliveriesCommand } from './commands/deliveries.ts';
import { addEventsCommand } from './commands/events.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addKeysCommand } from './commands/keys.ts';
import { addLinesCommand } from './commands/lines.ts';
import { addListenCommand } from './commands/listen.ts';
import { addLoginCommand } from './commands/login.ts';
import { addMessagesCommand } from './commands/messages.ts';
import { addSandboxCommand } from './commands/sandbox.ts';
import { addSendCommand } from './commands/send.ts';
import { addServeCommand, type ServeSetting } from './commands/serve.ts';
import { addSimulateCommand } from './commands/simulate.ts';
import { addWebhooksCommand } from './commands/webhooks.ts';
import type { Surroundings } from './surroundings.ts';

export interface ProgramOptions {
  readonly version: string;
  /** The flags of `serve`; none where another command is meant. */
  readonly serveSettings: readonly ServeSetting[];
  readonly surroundings: Surroundings;
}

export function createProgram({ version, serveSettings, surroundings }: ProgramOptions): Command {
  const program = new Command('trunkline')
    .description('The iMessage API that you host yourself: runs the server, and speaks to one.')
    .option('--json', 'print JSON: one object, or one a line for lists and streams')
    .option('--profile <name>', 'the server and key that login kept under this name')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'show this help, or that of a command')
    .helpCommand(false)
    .configureHelp({
      subcommandTerm: (command) => command.name(),
      showGlobalOptions: true,
      formatHelp: (command, help) => {
        const text = Help.prototype.formatHelp.call(help, command, help);
        return command.parent === null ? squeeze(text) : text;
      },
    })
    .exitOverride();
  addServeCommand(program, surroundings, serveSettings);
  addLoginCommand(program, surroundings);
  addKeysCommand(program, surroundings);
  addLinesCommand(program, surroundings);
  addSendCommand(program, surroundings);
  addMessagesCommand(program, surroundings);
  addEventsCommand(program, surroundings);
  addExplainCommand(program, surroundings);
  addWebhooksCommand(program, surroundings);
  addDeliveriesCommand(program, surroundings);
  addListenCommand(program, surroundings);
  addSimulateCommand(program, surroundings);
  addSandboxCommand(program, surroundings);
  addBackupCommand(program, surroundings);
  addCompletionCommand(program, surroundings);
  return program;
}

/** All commands are to be on one screen: the empty lines go. */
function squeeze(text: string): string {
  return text.replaceAll('\n\n', '\n');
}
