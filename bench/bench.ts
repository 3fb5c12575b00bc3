/** What every measurement is given, and the load that most of them use. */
import type { EngineKind } from '../packages/server/src/store/database.ts';
import type { Caller } from './calls.ts';
import type { Figure } from './figure.ts';
import type { Homes } from './home.ts';
import type { Loaded } from './load/closed-loop.ts';
import type { LoadCalls } from './load/load-process.ts';
import { KEY, SENDS } from './trunkline.ts';

export const CONNECTIONS = 64;
const CREATED = 201;

export interface Settings {
  /** Three at least. */
  readonly rounds: number;
  /** How long each side of a round is measured. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Null: what a measurement is made for. */
  readonly engine: EngineKind | null;
  /** In the database whose pages are read. */
  readonly messages: number;
  /** After which the memory is looked at. */
  readonly sends: number;
  /** How often a start is timed. */
  readonly starts: number;
  /** How long a server rests before its memory is looked at. */
  readonly restSeconds: number;
  /** How long a server is offered more than it can take. */
  readonly overloadSeconds: number;
}

export interface Bench {
  readonly settings: Settings;
  readonly homes: Homes;
  readonly load: Caller<LoadCalls>;
  /** Says what goes on, for whoever waits. */
  readonly say: (what: string) => void;
}

export type Measurement = (bench: Bench) => Promise<Figure[]>;

/** 64 connections that send. Without `requests`, for as long as the settings say. */
export function loadSends(
  bench: { readonly load: Bench['load']; readonly settings: Pick<Settings, 'seconds' | 'warmUpSeconds'> },
  origin: string,
  requests?: number,
): Promise<Loaded> {
  const { seconds, warmUpSeconds } = bench.settings;
  return bench.load.call('closedLoop', {
    origin,
    key: KEY,
    connections: CONNECTIONS,
    requests: SENDS,
    status: CREATED,
    warmUpSeconds: requests === undefined ? warmUpSeconds : 0,
    until: requests === undefined ? { seconds } : { requests },
  });
}

/** Runs the sides of each round in turn: A B A B ... */
export async function inRounds(bench: Bench, name: string, round: () => Promise<string>): Promise<void> {
  for (let index = 1; index <= bench.settings.rounds; index++) {
    bench.say(`${name}, round ${index} of ${bench.settings.rounds}: ${await round()}`);
  }
}

export function engineName(engine: EngineKind): string {
  return engine === 'sqlite' ? 'SQLite' : 'PostgreSQL';
}
