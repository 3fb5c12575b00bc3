/** The tree of commands. What stands here is what `--help`, the completion scripts and the reference page show. */
import { Command, Help } from 'commander';
import { addBackupCommand } from './commands/backup.ts';
import { addBridgeCommand } from './commands/bridge.ts';
import { addChatsCommand } from './commands/chats.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addDeliveriesCommand } from './commands/deliveries.ts';
import { addDevicesCommand } from './commands/devices.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEventsCommand } from './commands/events.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addFilesCommand } from './commands/files.ts';
import { addKeysCommand } from './commands/keys.ts';
import { addLinesCommand } from './commands/lines.ts';
import { addListenCommand } from './commands/listen.ts';
import { addLoginCommand } from './commands/login.ts';
import { addMessagesCommand } from './commands/messages.ts';
import { addOutboxCommand } from './commands/outbox.ts';
import { addPresenceCommands, addReceiptsCommand } from './commands/presence.ts';
import { addReactCommand } from './commands/react.ts';
import { addReactionsCommand } from './commands/reactions.ts';
import { addSandboxCommand } from './commands/sandbox.ts';
import { addSendCommand } from './commands/send.ts';
import { addServeCommand, type ServeSetting } from './commands/serve.ts';
import { addSimulateCommand } from './commands/simulate.ts';
import { addWebhooksCommand } from './commands/webhooks.ts';
import { formatProgramHelp } from './help-lines.ts';
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
    .option('--json', 'print JSON, one object a line in lists and streams')
    .option('--profile <name>', 'the server and key that login kept under this name')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'show this help, or that of a command')
    .helpCommand(false)
    .configureHelp({
      subcommandTerm: (command) => command.name(),
      showGlobalOptions: true,
      formatHelp: (command, help) =>
        command.parent === null
          ? formatProgramHelp(command, help)
          : Help.prototype.formatHelp.call(help, command, help),
    })
    .exitOverride();
  addServeCommand(program, surroundings, serveSettings);
  addBackupCommand(program, surroundings);
  addBridgeCommand(program, surroundings, version);
  addDoctorCommand(program, surroundings);
  addLoginCommand(program, surroundings);
  addKeysCommand(program, surroundings);
  addLinesCommand(program, surroundings);
  addDevicesCommand(program, surroundings);
  addSendCommand(program, surroundings);
  addReactCommand(program, surroundings);
  addPresenceCommands(program, surroundings);
  addChatsCommand(program, surroundings);
  addMessagesCommand(program, surroundings);
  addReactionsCommand(program, surroundings);
  addReceiptsCommand(program, surroundings);
  addFilesCommand(program, surroundings);
  addOutboxCommand(program, surroundings);
  addExplainCommand(program, surroundings);
  addEventsCommand(program, surroundings);
  addListenCommand(program, surroundings);
  addWebhooksCommand(program, surroundings);
  addDeliveriesCommand(program, surroundings);
  addSimulateCommand(program, surroundings);
  addSandboxCommand(program, surroundings);
  addCompletionCommand(program, surroundings);
  return program;
}
