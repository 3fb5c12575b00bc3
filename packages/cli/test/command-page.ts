/** The reference page of the command, made from the tree of commands. `npm run generate` writes it; a test compares. */
import { resolve } from 'node:path';
import type { Argument, Command } from 'commander';
import { readServeSettings } from '../src/commands/serve.ts';
import { createProgram } from '../src/program.ts';
import { createTerminal } from '../src/terminal.ts';

export const PAGE_PATH = resolve(import.meta.dirname, '../../../docs/reference/command.md');

const HEAD = `# The command

\`trunkline\` runs the server and speaks to one. In a clone of the repository it is \`npx trunkline\`. This page is written
from the commands themselves by \`npm run generate\`.

## Who it speaks as

In this order: the profile that \`--profile\` names; \`TRUNKLINE_URL\` and \`TRUNKLINE_API_KEY\` (or \`MESSAGES_API_KEY\`); the
profile \`default\`. \`trunkline login\` writes a profile to \`~/.config/trunkline/config.json\` (or below \`XDG_CONFIG_HOME\`),
which only its owner can read. A key from a profile goes to that profile's server and to no other. Without a word about
it the server is \`http://127.0.0.1:8080\`.

## What it prints

Results go to stdout, everything else to stderr. \`--json\` prints the API's own objects: one for a single thing, one a line
for lists and streams; an error is then the API's envelope, on stderr. \`NO_COLOR\` is honoured. Where nobody can be asked,
what would ask wants \`--yes\`.

| exit code | meaning |
|---|---|
| 0 | done; also when whoever read the output stopped reading |
| 1 | the API refused, a message that was waited for failed, or a check of \`doctor\` |
| 2 | the words cannot be understood |
| 3 | not signed in: no key, or one that the server does not take (401) |
| 4 | there is no such thing (404) |
| 5 | a value cannot be used (400, 413, 415, 422) |
| 6 | the server, or the agent on this computer, cannot be reached |
| 130 | Ctrl-C |

\`serve\` ends with 0 on Ctrl-C, when everything under way is finished.

## Options of every command
`;

export async function commandPage(): Promise<string> {
  const program = await commandTree();
  const leaves = program.commands.flatMap((command) => leavesOf(command));
  return [`${HEAD}\n${optionRows(program)}`, ...leaves.map(sectionOf)].join('\n');
}

/** The tree of commands with their options, of which none is run. */
export async function commandTree(): Promise<Command> {
  const terminal = createTerminal({
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: {},
  });
  return createProgram({
    version: '',
    serveSettings: await readServeSettings(),
    surroundings: {
      environment: {},
      terminal,
      now: () => 0,
      wait: () => Promise.resolve(),
      takeInterrupts: () => undefined,
    },
  });
}

interface Leaf {
  readonly path: string;
  readonly command: Command;
}

function leavesOf(command: Command, path = command.name()): Leaf[] {
  if (command.commands.length === 0) return [{ path, command }];
  return command.commands.flatMap((child) => leavesOf(child, `${path} ${child.name()}`));
}

function sectionOf({ path, command }: Leaf): string {
  const words = command.registeredArguments.map(argumentWord);
  const parts = [`## \`${['trunkline', path, ...words].join(' ')}\`\n\n${command.description()}\n`];
  const rows = command.registeredArguments.map((one) => {
    const notes = one.argChoices ? [`one of ${one.argChoices.join(', ')}`] : [];
    return `| \`${argumentWord(one)}\` | ${cell([one.description, ...notes].join('; '))} |\n`;
  });
  if (rows.length > 0) parts.push(`| argument | |\n|---|---|\n${rows.join('')}`);
  if (command.options.length > 0) parts.push(optionRows(command));
  return parts.join('\n');
}

function argumentWord(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

function optionRows(command: Command): string {
  const rows = command.options.map((option) => {
    const value: unknown = option.defaultValue;
    const notes = [
      ...(option.mandatory ? ['needed'] : []),
      ...(option.argChoices ? [`one of ${option.argChoices.join(', ')}`] : []),
      ...(value === undefined ? [] : [`by default ${String(value)}`]),
    ];
    return `| \`${option.flags.replaceAll('|', '\\|')}\` | ${cell([option.description, ...notes].join('; '))} |\n`;
  });
  return `| option | |\n|---|---|\n${rows.join('')}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
