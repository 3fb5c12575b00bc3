/** Values of rows that may be null or, where a join found nothing to select, not there. */
import type { Value } from './database.ts';

export function textOrNull(value: Value | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

export function numberOrNull(value: Value | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
