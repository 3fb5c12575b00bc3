/** What every command is handed: where it writes, what it reads, and the server that it speaks to. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { type Api, createApi } from './api.ts';
import { type ConfigFile, openConfigFile } from './config-file.ts';
import { findSignIn, PROFILE_DEFAULT } from './sign-in.ts';
import type { Terminal } from './terminal.ts';

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly terminal: Terminal;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
  /** From here on Ctrl-C is the command's own business. */
  readonly takeInterrupts: () => void;
}

/** One run of a command that speaks to a server. */
export interface Session extends Surroundings {
  readonly api: Api;
  readonly isJson: boolean;
  readonly profile: string;
  readonly file: ConfigFile;
}

export interface GlobalOptions {
  readonly json?: boolean;
  readonly profile?: string;
}

export function waitFor(ms: number): Promise<void> {
  return sleep(ms);
}

export function openSession(surroundings: Surroundings, command: Command): Session {
  const { json = false, profile } = command.optsWithGlobals<GlobalOptions>();
  const { environment, terminal } = surroundings;
  const file = openConfigFile(environment, terminal.note);
  const api = createApi(findSignIn({ profile: profile ?? null, environment, file }));
  return { ...surroundings, api, isJson: json, profile: profile ?? PROFILE_DEFAULT, file };
}
