/** Decides what becomes of a hand-over, by the phone that it is for and the faults of its line. */
import type { Command, Disposition } from '../line-driver.ts';
import type { Faults } from './faults.ts';
import { meaningOf } from './meanings.ts';

/** Handing over to the phone that starts late begins to work at this attempt. */
const LATE_START_ATTEMPT = 3;

export type SendPlan =
  /** Nothing goes out. */
  { readonly goesOut: false; readonly disposition: Disposition } | OutgoingPlan;

export interface OutgoingPlan {
  readonly goesOut: true;
  /** How long the hand-over takes before the message goes out. */
  readonly delayMs: number;
  readonly echoes: boolean;
  /** How long after it went out it is delivered; null: never. */
  readonly deliveredAfterMs: number | null;
  /** The driver crashes before it can answer, unless the reference was on the air before. */
  readonly crashes: boolean;
  readonly answer: 'sent' | 'accepted' | 'unknown';
  /** How long the answer takes once the message went out. */
  readonly answerAfterMs: number;
}

export function planSend(command: Command, faults: Faults, slowMs: number, random: () => number): SendPlan {
  const meaning = meaningOf(command.chat);
  if (faults.offline) return refuse('not_started', 'The line is offline.');
  if (meaning === 'not_imessage') {
    return refuse('failed', `${command.chat.identifier} is not an iMessage user, so the message was not sent.`);
  }
  if (meaning === 'starts_late' && command.attempt < LATE_START_ATTEMPT) {
    return refuse('not_started', 'Messages was not ready to send.');
  }
  if (random() < faults.failRate) return refuse('failed', 'The simulated line failed to send the message.');
  const latencyMs = faults.latencyMs + Math.floor(random() * faults.jitterMs);
  const dropsEcho = random() < faults.dropEchoRate;
  const neverEchoes = meaning === 'never_echoes';
  return {
    goesOut: true,
    delayMs: meaning === 'slow' ? slowMs : 0,
    echoes: !neverEchoes && !dropsEcho,
    deliveredAfterMs: meaning === 'never_delivered' ? null : latencyMs,
    crashes: meaning === 'crashes_once',
    answer: neverEchoes ? 'unknown' : dropsEcho ? 'accepted' : 'sent',
    answerAfterMs: latencyMs,
  };
}

function refuse(state: 'not_started' | 'failed', reason: string): SendPlan {
  return { goesOut: false, disposition: { state, reason } };
}
