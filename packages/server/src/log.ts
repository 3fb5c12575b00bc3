/** Logging: JSON lines, or pretty on a terminal. Never message text, full handles, keys or secrets. */
import { createRequire } from 'node:module';
import pino from 'pino';
import type { default as PinoPretty } from 'pino-pretty';

export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Of an error's own fields those that name what failed and quote nothing. */
const NAMED_FACTS = ['code', 'severity', 'schema', 'table', 'column', 'constraint', 'routine', 'syscall'] as const;
/** PostgreSQL's class of errors in data, whose messages quote the data. */
const QUOTES_VALUES = /^22/;
const FRAME = /^ {4}at /;

/** Logs go to standard error, so that what a command prints for a person stays clean on standard output. */
export function createLog(level: LogLevel, isTerminal: boolean, destination?: pino.DestinationStream): Log {
  const options = { level, base: null, serializers: { err: describeError } };
  if (destination) return pino(options, destination);
  const pretty = isTerminal ? loadPretty() : null;
  if (!pretty) return pino(options, pino.destination({ dest: 2, sync: false }));
  return pino(options, pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' }));
}

/** Read only at a terminal, and not there in a container's bundle: JSON lines are read there by machines anyhow. */
function loadPretty(): typeof PinoPretty | null {
  const load = createRequire(import.meta.url);
  try {
    return load('pino-pretty');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/** What a log may say of an error. A database's own words quote rows and values, so that they stay out. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const facts = NAMED_FACTS.flatMap((name) => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' || typeof value === 'number' ? [[name, value] as const] : [];
  });
  const isQuoting = 'severity' in error && QUOTES_VALUES.test(String(Reflect.get(error, 'code')));
  const message = isQuoting ? 'The database could not take a value.' : error.message;
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  const stack = framesOf(error);
  return { type: error.constructor.name, message, ...Object.fromEntries(facts), stack, ...cause };
}

/** Without its first lines, which repeat the message. */
function framesOf(error: Error): string {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => FRAME.test(line))
    .join('\n');
}
