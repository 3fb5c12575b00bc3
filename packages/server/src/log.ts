/** Logging: JSON lines, or pretty on a terminal. Never message text, full handles, keys or secrets. */
import { createRequire } from 'node:module';
import pino from 'pino';
import type { default as PinoPretty } from 'pino-pretty';

export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Logs go to standard error, so that what a command prints for a person stays clean on standard output. */
export function createLog(level: LogLevel, isTerminal: boolean): Log {
  const options = { level, base: null };
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
