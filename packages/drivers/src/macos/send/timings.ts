/** How long the sender waits for what. Milliseconds. */
import { FILE_TIMEOUT_S, PROBE_TIMEOUT_S, TEXT_TIMEOUT_S } from './scripts.ts';

/** What a script has beyond its own limit before it is ended by force. */
const KILL_GRACE_MS = 5_000;

export interface SendTimings {
  /** Between two looks at the message database. */
  readonly pollMs: number;
  /** How long a text's row is looked for after its script has ended. */
  readonly textRowMs: number;
  readonly fileRowMs: number;
  /** How long the further rows of a text are awaited that Messages has split around its links. */
  readonly piecesMs: number;
  /** A row must look like a message to nowhere for so long before it is taken for one. */
  readonly ghostMs: number;
  /** How long the row of a lost hand-over is looked for. */
  readonly settleMs: number;
  /** When a script is ended by force. */
  readonly textLimitMs: number;
  readonly fileLimitMs: number;
  readonly probeLimitMs: number;
  /** Between opening Messages, or a chat in it, and the next try. */
  readonly openMs: number;
}

export const SEND_TIMINGS: SendTimings = {
  pollMs: 150,
  textRowMs: 15_000,
  fileRowMs: 60_000,
  piecesMs: 3_000,
  ghostMs: 1_000,
  settleMs: 5_000,
  textLimitMs: TEXT_TIMEOUT_S * 1_000 + KILL_GRACE_MS,
  fileLimitMs: FILE_TIMEOUT_S * 1_000 + KILL_GRACE_MS,
  probeLimitMs: PROBE_TIMEOUT_S * 1_000 + KILL_GRACE_MS,
  openMs: 1_000,
};
