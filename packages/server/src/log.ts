/** Logging: JSON lines, or pretty on a terminal. Never message text, full handles, keys or secrets. */
import pino from 'pino';

export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Logs go to standard error, so that what a command prints for a person stays clean on standard output. */
export function createLog(level: LogLevel, isTerminal: boolean): Log {
  const options = { level, base: null };
  if (!isTerminal) return pino(options, pino.destination({ dest: 2, sync: false }));
  return pino({
    ...options,
    transport: {
      target: 'pino-pretty',
      options: { destination: 2, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' },
    },
  });
}
