/** How often the long tests repeat: few times in `npm test`, in full by `npm run soak`. */

export const FULL_COUNTS = {
  /** SIGKILLs of the server under load, for each engine. */
  SOAK_KILLS: 200,
  /** Power cuts under load, on SQLite. */
  SOAK_CUTS: 40,
} as const;

const SMALL_COUNTS = { SOAK_KILLS: 10, SOAK_CUTS: 5 } as const satisfies Record<keyof typeof FULL_COUNTS, number>;

export function countFrom(
  name: keyof typeof FULL_COUNTS,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): number {
  const text = environment[name];
  if (text === undefined) return SMALL_COUNTS[name];
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`${name} must be a whole number from 1: ${text}`);
  return count;
}
