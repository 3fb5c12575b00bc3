/** Runs the agent for `trunkline bridge`, until it is told to stop or the server refuses it for good. */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { MacPlaces } from '@trunkline/drivers/agent';
import { type BridgeHost, findStateFolder } from './bridge-host.ts';
import { EXIT, Failure, usageFailure } from './failure.ts';
import { parseFields, textOf } from './fields.ts';
import { LABEL } from './launch-agent.ts';
import type { Surroundings } from './surroundings.ts';

/** It runs for months beside everything else on its Mac, and has little to do: a small heap rather than a fast one. */
const SMALL = ['--optimize-for-size', '--semi-space-growth-factor=1'] as const;
const TOKEN_VARIABLE = 'TRUNKLINE_BRIDGE_TOKEN';
const TOKEN_FORM = /^dtk_[A-Za-z0-9_-]{43}$/;

export interface BridgeRunOptions {
  readonly server: string;
  readonly tokenFile?: string;
  readonly line?: string;
  readonly driver: 'macos' | 'simulator';
  readonly stateDir?: string;
}

export async function runBridgeCommand(
  options: BridgeRunOptions,
  { environment, terminal, now, takeInterrupts }: Surroundings,
  host: BridgeHost,
  version: string,
): Promise<void> {
  for (const flag of SMALL) setFlagsFromString(flag);
  const token = readToken(options.tokenFile, environment);
  const server = readServer(options.server);
  const stateFolder = await findStateFolder(options.stateDir, host);
  const { AgentRefusedError, runBridge } = await import('@trunkline/drivers/agent');
  const { createDoctorMac, examineMac } = await import('@trunkline/drivers/doctor');
  const leaving = new AbortController();
  takeInterrupts();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => leaving.abort());
  const log = (level: string, message: string, fields: object = {}) => {
    if (level === 'debug') return;
    terminal.note(`${new Date(now()).toISOString()} ${level} ${message} ${JSON.stringify(fields)}`);
  };
  try {
    await runBridge({
      server,
      token,
      line: options.line ?? null,
      driver: options.driver,
      stateFolder,
      home: host.home,
      places: readPlaces(stateFolder),
      version,
      platform: `${host.platform} ${release()}`,
      // Without a Mac there is nothing to examine.
      examine: async (clockOffsetMs) =>
        options.driver === 'simulator'
          ? []
          : examineMac(createDoctorMac({ home: host.home, stateFolder, isAgent: true, clockOffsetMs })),
      now,
      random: Math.random,
      log,
      signal: leaving.signal,
    });
  } catch (error) {
    if (!(error instanceof AgentRefusedError)) throw error;
    // launchd would start it again and again; what ends well is left alone.
    if (environment['XPC_SERVICE_NAME'] === LABEL) return log('error', error.message);
    throw new Failure(EXIT.refused, error.message);
  }
}

function readServer(text: string): URL {
  if (!URL.canParse(text)) throw usageFailure('--server takes the address of the server: https://...');
  return new URL(text);
}

/** From its file, or the environment; never from the command line, which every process of the computer can read. */
function readToken(file: string | undefined, environment: Surroundings['environment']): string {
  const given = file === undefined ? environment[TOKEN_VARIABLE] : readFile(file);
  const token = given?.trim() ?? '';
  if (token === '')
    throw usageFailure(`Name the file of the device's token with --token-file, or set ${TOKEN_VARIABLE}.`);
  if (!TOKEN_FORM.test(token)) throw usageFailure('This is not the token of a device: it begins with dtk_.');
  return token;
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw usageFailure(
      `The token could not be read from ${path}: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

/** Where the programs and files of macOS are, where the state folder says that they are not where macOS has them. */
function readPlaces(stateFolder: string): MacPlaces {
  const path = join(stateFolder, 'places.json');
  if (!existsSync(path)) return {};
  const places = parseFields(readFile(path));
  if (places === null) throw usageFailure(`${path} is no JSON object.`);
  return {
    ...pick(textOf(places, 'chatDb'), (chatDb) => ({ chatDb })),
    ...pick(wordsOf(places['osascript']), (osascript) => ({ osascript })),
    ...pick(wordsOf(places['open']), (open) => ({ open })),
  };
}

function pick<T, R extends object>(value: T | null, named: (value: T) => R): R | object {
  return value === null ? {} : named(value);
}

function wordsOf(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : null;
}
