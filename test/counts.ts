/** How often the long tests repeat: few times in `npm test`, in full by `npm run soak`. */

export const FULL_COUNTS = {
  /** SIGKILLs of the server under load, for each engine. */
  SOAK_KILLS: 200,
  /** SIGKILLs of a Mac's agent, and of its server, between and during sends. */
  SOAK_AGENT_KILLS: 200,
  /** Random timelines on Macs whose agents and server are killed. */
  SOAK_TIMELINES: 200,
  /** Power cuts under load, on SQLite. */
  SOAK_CUTS: 40,
  /** Crashes of PostgreSQL under load. */
  SOAK_DATABASE_CRASHES: 50,
  /** Cuts of the connections to PostgreSQL under load. */
  SOAK_DATABASE_CUTS: 200,
  /** Orders to stop under load, for each engine. */
  SOAK_STOPS: 50,
  /** Clients that drip their headers at the same time. */
  SOAK_SLOW_CLIENTS: 2_000,
  /** Requests that the fuzzer makes of each route, on SQLite. */
  FUZZ_CASES: 10_000,
  /** Changes of each kind of sound file that the transcoder is given, and random files, four times as many. */
  AUDIO_CHANGES: 500,
  /** Ways in which ffmpeg writes sound files, spread over all kinds. */
  AUDIO_FORMATS: 100,
} as const;

const SMALL_COUNTS = {
  SOAK_KILLS: 10,
  SOAK_AGENT_KILLS: 6,
  SOAK_TIMELINES: 20,
  SOAK_CUTS: 5,
  SOAK_DATABASE_CRASHES: 3,
  SOAK_DATABASE_CUTS: 20,
  SOAK_STOPS: 4,
  SOAK_SLOW_CLIENTS: 500,
  FUZZ_CASES: 300,
  AUDIO_CHANGES: 15,
  AUDIO_FORMATS: 12,
} as const satisfies Record<keyof typeof FULL_COUNTS, number>;

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
