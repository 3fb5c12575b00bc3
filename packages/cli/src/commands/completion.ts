/** `trunkline completion`: a script for the shell that knows every command and option. */
import { Argument, type Command } from 'commander';
import { bashScript, fishScript, treeOf, zshScript } from '../completion-scripts.ts';
import type { Surroundings } from '../surroundings.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
type Shell = keyof typeof SCRIPTS;

export function addCompletionCommand(program: Command, { terminal }: Surroundings): void {
  program
    .command('completion')
    .summary('print a completion script for your shell')
    .description('Prints a script that completes commands and options. For bash: source <(trunkline completion bash)')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .action((shell: Shell) => terminal.print(SCRIPTS[shell](treeOf(program))));
}
