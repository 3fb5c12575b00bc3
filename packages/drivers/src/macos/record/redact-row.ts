/** One row of the message database as it may be shown to everybody. */
import { COLUMN_RULES, isMoment } from './column-rules.ts';
import type { MadeUpNames } from './made-up-names.ts';
import { redactBody } from './redact-body.ts';

const NS_PER_S = 1_000_000_000n;
/** What lies beyond is no time that anybody wrote, and stays: readers must bear it. */
const MOMENT_MAX = 2_000_000_000n * NS_PER_S;
/** Below it, a moment is counted in seconds, as some columns are. */
const SECONDS_MAX = 1_000_000_000_000n;

export type Value = bigint | number | string | Uint8Array | null;
export type Row = Readonly<Record<string, Value>>;
/** Integers are texts, for they are larger than JSON's numbers; bytes are base64. */
export type ShownValue = string | number | null | { readonly base64: string } | { readonly left_out: string };
export type ShownRow = Readonly<Record<string, ShownValue>>;

export interface Redaction {
  readonly names: MadeUpNames;
  /** What is added to every moment. */
  readonly shift: bigint;
}

export function redactRow(table: string, row: Row, redaction: Redaction): ShownRow {
  const shown = Object.entries(row).map(([column, value]): [string, ShownValue] => [
    column,
    redactValue(table, column, value, redaction),
  ]);
  return Object.fromEntries(shown);
}

function redactValue(table: string, column: string, value: Value, { names, shift }: Redaction): ShownValue {
  if (value === null) return null;
  if (typeof value === 'bigint') {
    return String(isMoment(column) ? moveMoment(value, shift) : value);
  }
  // A fraction stands nowhere in the tables that are known.
  if (typeof value === 'number') return { left_out: 'a number with a fraction' };
  if (typeof value === 'string') {
    const rule = COLUMN_RULES[table]?.[column];
    return rule?.(value, names) ?? { left_out: `a text of ${value.length}` };
  }
  const body = column === 'attributedBody' ? redactBody(value, names) : null;
  return body === null ? { left_out: `${value.length} bytes` } : { base64: Buffer.from(body).toString('base64') };
}

function moveMoment(moment: bigint, shift: bigint): bigint {
  if (moment <= 0n || moment >= MOMENT_MAX) return moment;
  return moment + (moment < SECONDS_MAX ? shift / NS_PER_S : shift);
}
