/** Times and durations as people write and read them. */
import { usageFailure } from './failure.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `2026-11-21 13:44:40` in the machine's own time zone; `-` for none. */
export function formatMoment(at: number | null): string {
  if (at === null) return '-';
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The same to the millisecond. */
export function formatInstant(at: number | null): string {
  return at === null ? '-' : `${formatMoment(at)}.${String(at % 1_000).padStart(3, '0')}`;
}

/** `30d`, `12h`, or a date such as `2027-01-31`: the millisecond that it means, for a time to come. */
export function parseExpiry(text: string, now: number): number {
  return parseMoment(text, '--expires', (ms) => now + ms);
}

/** The same for a time that has passed: `2h` is two hours ago. */
export function parseSince(text: string, now: number): number {
  return parseMoment(text, '--since', (ms) => Math.max(0, now - ms));
}

function parseMoment(text: string, option: string, from: (ms: number) => number): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  const ms = UNITS_MS[unit];
  if (ms !== undefined) return from(Number(count) * ms);
  const date = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(date))
    throw usageFailure(`${option} takes a duration such as 30d or 12h, or a date; not "${text}".`);
  return date;
}
