/** Whether an answer reached its client. One that did not is kept for the request's repeat. */
import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { AnswerBatch, Guard } from '../store/ticket.ts';
import { dropAnswers, markAnswersLost } from '../store/unanswered.ts';
import type { Writer } from '../store/writer.ts';

/** A connection that breaks so soon after an answer was handed to the network broke before the client had it. */
const BREAKS_WITHIN_MS = 1_000;
const DROP_EVERY_MS = 200;

export interface LostAnswers {
  /** Follows the answer of a request that was done, one of those of its commit. */
  follow(reply: FastifyReply, guard: Guard, answers: AnswerBatch): void;
  /** The client goes on with this connection: it has read what came before. */
  goesOn(socket: Socket): void;
  /** Writes down what is left to write. */
  stop(): Promise<void>;
}

export interface LostAnswerDeps {
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Log;
}

export function createLostAnswers({ writer, clock, log }: LostAnswerDeps): LostAnswers {
  const handedOver = new WeakMap<Socket, { readonly guard: Guard; readonly at: number } | null>();

  let settled: string[] = [];

  /** What is settled is dropped in groups: a commit for each would cost as much as the sends. */
  function settle(answers: AnswerBatch): void {
    answers.open--;
    if (answers.open > 0) return;
    settled.push(answers.id);
    if (settled.length === 1) clock.after(DROP_EVERY_MS, () => note(drop()));
  }

  async function drop(): Promise<void> {
    const ids = settled;
    settled = [];
    if (ids.length > 0) await writer.write(dropAnswers, { ids });
  }

  function note(work: Promise<unknown>): void {
    work.catch((error: unknown) => log.warn({ err: error }, 'what became of an answer could not be noted'));
  }

  async function lose(guard: Guard, answers: AnswerBatch): Promise<void> {
    await writer.write(markAnswersLost, guard);
    settle(answers);
  }

  function handOver(socket: Socket | null, guard: Guard, answers: AnswerBatch): void {
    settle(answers);
    if (!socket) return;
    if (!handedOver.has(socket)) socket.once('close', (hadError: boolean) => onSocketClose(socket, hadError));
    handedOver.set(socket, { guard, at: clock.monotonic() });
  }

  /**
   * A client that has gone answers what is written to it with a reset, which shows as an error of the socket; one that
   * has read its answer closes in good order.
   */
  function onSocketClose(socket: Socket, hadError: boolean): void {
    const last = handedOver.get(socket);
    if (hadError && last && clock.monotonic() - last.at < BREAKS_WITHIN_MS) {
      note(writer.write(markAnswersLost, last.guard));
    }
  }

  return {
    stop: drop,
    follow(reply, guard, answers) {
      const { raw } = reply;
      // The socket is gone from the response when that has ended.
      const { socket } = raw;
      if (raw.destroyed || socket?.readableEnded) {
        note(lose(guard, answers));
        return;
      }
      let isWritten = false;
      raw.on('finish', () => {
        isWritten = true;
      });
      raw.on('close', () => (isWritten ? handOver(socket, guard, answers) : note(lose(guard, answers))));
    },
    goesOn(socket) {
      if (handedOver.has(socket)) handedOver.set(socket, null);
    },
  };
}
