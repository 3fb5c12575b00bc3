/** The list of commands in `trunkline --help`. All are to be on one screen, so related ones stand on one line. */
import { type Command, Help } from 'commander';

/** Each stands where its first command does. A command that is in none has a line of its own. */
const SHARED_LINES: readonly { readonly names: readonly string[]; readonly summary: string }[] = [
  { names: ['serve', 'backup'], summary: 'run the server, copy its data folder while it runs' },
  { names: ['bridge', 'doctor'], summary: 'manage the agent on a Mac, check that Mac' },
  { names: ['login', 'completion'], summary: 'keep a server and its key, complete words in a shell' },
  { names: ['keys', 'lines', 'devices'], summary: 'list, make, change, remove API keys, lines and devices' },
  { names: ['react', 'typing', 'read'], summary: 'react to a message, show typing, mark as read' },
  { names: ['chats', 'messages'], summary: 'list the chats of a line, the messages of a chat' },
  { names: ['reactions', 'receipts'], summary: 'list who reacted to a message, who read a chat' },
  { names: ['outbox', 'explain'], summary: 'show what became of a message, its steps and times' },
  { names: ['events', 'listen'], summary: 'follow what happens, forward it as signed webhooks' },
  { names: ['webhooks', 'deliveries'], summary: 'manage webhooks, list and repeat what they were sent' },
  { names: ['simulate', 'sandbox'], summary: 'be simulated phones, pair a phone with the sandbox line' },
];

/** The help of the whole command; the parts of `help` that were set stay. */
export function formatProgramHelp(program: Command, help: Help): string {
  const shared = Object.assign(new Help(), help, {
    visibleCommands: (command: Command) => command.commands.filter(isFirstOfLine),
    subcommandTerm: (command: Command) => lineOf(command)?.names.join(', ') ?? command.name(),
    subcommandDescription: (command: Command) => lineOf(command)?.summary ?? command.summary(),
  });
  return squeeze(Help.prototype.formatHelp.call(shared, program, shared));
}

function isFirstOfLine(command: Command): boolean {
  const line = lineOf(command);
  return line === undefined || line.names[0] === command.name();
}

function lineOf(command: Command) {
  return SHARED_LINES.find(({ names }) => names.includes(command.name()));
}

/** Two of the three empty lines go. */
function squeeze(text: string): string {
  return text.replace('\n\n', '\n').replace('\n\nCommands:', '\nCommands:');
}
