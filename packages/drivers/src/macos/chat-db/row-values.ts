/** Values of rows as they come from SQLite, and times as expressions of SQL. */
import type { Service } from '../../service.ts';
import type { Row } from './open-chat-db.ts';

/** 2001-01-01, where Apple's time begins, and 2100-01-01, beyond which no time is meant. Unix milliseconds. */
const APPLE_EPOCH_MS = 978_307_200_000;
const LAST_MOMENT_MS = 4_102_444_800_000;
/** What is smaller counts seconds, as old systems did; the rest nanoseconds. */
const SECONDS_BELOW = 100_000_000_000;

export function textOf(row: Row, name: string): string | null {
  const value = row[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

export function numberOf(row: Row, name: string): number {
  const value = row[name];
  return typeof value === 'number' ? value : 0;
}

export function isSet(row: Row, name: string): boolean {
  return numberOf(row, name) !== 0;
}

export function bytesOf(row: Row, name: string): Uint8Array | null {
  const value = row[name];
  return value instanceof Uint8Array && value.length > 0 ? value : null;
}

/** Milliseconds of Apple's time, divided in SQL: its nanoseconds are more than a JavaScript number holds. */
export function millisecondsIn(column: string): string {
  return `CASE WHEN ${column} BETWEEN -${SECONDS_BELOW} AND ${SECONDS_BELOW} THEN ${column} * 1000 ELSE ${column} / 1000000 END`;
}

/** Unix milliseconds of what `millisecondsIn` gave; null for what is not set or beyond reason. */
export function momentOf(row: Row, name: string): number | null {
  const milliseconds = Math.trunc(numberOf(row, name));
  const moment = milliseconds + APPLE_EPOCH_MS;
  return milliseconds <= 0 || moment > LAST_MOMENT_MS ? null : moment;
}

/** A moment as the database's nanoseconds. */
export function toAppleNanoseconds(moment: number): bigint {
  return BigInt(Math.trunc(moment) - APPLE_EPOCH_MS) * 1_000_000n;
}

export function serviceOf(name: string | null): Service {
  const word = name?.toLowerCase();
  return word === 'sms' || word === 'rcs' ? word : 'imessage';
}
