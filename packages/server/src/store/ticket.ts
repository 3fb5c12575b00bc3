/**
 * What a write carries for the request behind it. With a guard the request is done once however often it comes: its
 * answer is kept in the very commit that it answers for. The rules are section 11 of the v1 contract.
 */
import type { ApiError } from '../domain/errors.ts';

export interface Answer {
  readonly status: number;
  /** The whole body as sent; sealed where it holds a secret. */
  readonly body: string;
}

export interface Guard {
  readonly keyRef: number;
  /** Method and path. */
  readonly route: string;
  /** The client's Idempotency-Key; null where it gave none and only a lost answer is made good. */
  readonly name: string | null;
  /** What makes two requests the same. */
  readonly fingerprint: string;
  /** Of a client that says which of its tries this is: the name is then made of what it asks. Null of any other. */
  readonly attempt: 'first' | 'repeat' | null;
  /** Tells this request from others that are the same. */
  readonly id: string;
  /** Unix milliseconds. */
  readonly now: number;
  /** Null while the answer is not known: the work is done elsewhere, and the answer is kept after it. */
  readonly answer: Answer | null;
}

/** The answers of one commit that are on their way. */
export interface AnswerBatch {
  readonly id: string;
  /** How many of them have not reached their clients yet. */
  open: number;
}

export interface Ticket {
  readonly guard: Guard | null;
  /** Called when the write's batch begins. */
  readonly begun: () => void;
  /** Called when it is committed. */
  readonly committed: (answers: AnswerBatch | null) => void;
}

/** The request was answered before: nothing is done, and this is the answer. Thrown through the handler. */
export class AnsweredBefore extends Error {
  readonly answer: Answer;
  /** The guard's `id` of an answer that is given again only until it reaches the client; else null. */
  readonly lostId: string | null;

  constructor(answer: Answer, lostId: string | null = null) {
    super('This request was answered before.');
    this.name = 'AnsweredBefore';
    this.answer = answer;
    this.lostId = lostId;
  }
}

/** Whether a guarded write is done, waits for a twin in its own batch, or is answered without being done. */
export type Verdict = 'go' | 'later' | AnsweredBefore | ApiError;
