/** `trunkline serve`: the server, configured by flags as well as by the environment. */
import { type Command, Option } from 'commander';
import type { Surroundings } from '../surroundings.ts';

const PREFIX = 'TRUNKLINE_';

/** A setting that has a flag. Secrets have none: a command line can be read by every process of the machine. */
export interface ServeSetting {
  readonly name: string;
  readonly default: string;
  readonly sentence: string;
}

/** The settings come from the server's own table, which is loaded only where somebody asks for this command. */
export async function readServeSettings(): Promise<readonly ServeSetting[]> {
  const { SETTINGS } = await import('@trunkline/server/settings');
  return Object.entries(SETTINGS).flatMap(([name, setting]) => ('isSecret' in setting ? [] : [{ name, ...setting }]));
}

export function addServeCommand(program: Command, surroundings: Surroundings, settings: readonly ServeSetting[]): void {
  const serve = program
    .command('serve')
    .summary('run the server')
    .description('Runs the server. A flag goes before the TRUNKLINE_ variable of the same name; secrets have no flag.');
  for (const { name, default: value, sentence } of settings) {
    serve.addOption(new Option(`${flagOf(name)} <value>`, `${sentence} Default: ${value || 'empty'}.`));
  }
  serve.action(async (_options: unknown, command: Command) => {
    const flags: Record<string, string> = {};
    for (const option of command.options) {
      const value: unknown = command.getOptionValue(option.attributeName());
      if (typeof value === 'string') flags[variableOf(option.long ?? '')] = value;
    }
    surroundings.takeInterrupts();
    const { run } = await import('@trunkline/server');
    await run({ environment: { ...surroundings.environment, ...flags }, random: Math.random });
  });
}

/** `--data-dir` for `TRUNKLINE_DATA_DIR`. */
function flagOf(name: string): string {
  return `--${name.slice(PREFIX.length).toLowerCase().replaceAll('_', '-')}`;
}

function variableOf(flag: string): string {
  return PREFIX + flag.replace(/^--/, '').replaceAll('-', '_').toUpperCase();
}
