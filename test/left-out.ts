/**
 * A part of the tests that this machine cannot run is never skipped in silence: its test records what is missing, and
 * `npm test` names it in its last lines.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** `scripts/test.ts` names the file here and reads it when the run is over. */
const FILE_VARIABLE = 'LEFT_OUT_FILE';

export interface LeftOut {
  readonly part: string;
  readonly reason: string;
}

export function recordLeftOut(part: string, reason: string): LeftOut {
  const leftOut = { part, reason };
  const file = process.env[FILE_VARIABLE];
  if (file === undefined) console.warn(`left out: ${part} (${reason})`);
  else appendFileSync(file, `${JSON.stringify(leftOut)}\n`);
  return leftOut;
}

/** Each part once, in the order of recording. */
export function readLeftOut(file: string): LeftOut[] {
  if (!existsSync(file)) return [];
  const lines = new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean));
  return [...lines].map((line) => JSON.parse(line));
}
