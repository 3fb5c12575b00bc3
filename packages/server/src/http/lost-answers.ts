/** Whether an answer reached its client. One that did not is kept for the request's repeat. */
import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Guard } from '../store/ticket.ts';
import { forgetAnswers, markAnswersLost } from '../store/unanswered.ts';
import type { Writer } from '../store/writer.ts';

/** A connection that breaks so soon after an answer was handed to the network broke before the client had it. */
const BREAKS_WITHIN_MS = 1_000;

export interface LostAnswers {
  /** Follows the answer of a request that was done. */
  follow(reply: FastifyReply, guard: Guard): void;
  /** The client goes on with this connection: it has read what came before. */
  goesOn(socket: Socket): void;
}

export interface LostAnswerDeps {
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Log;
}

export function createLostAnswers({ writer, clock, log }: LostAnswerDeps): LostAnswers {
  const handedOver = new WeakMap<Socket, { readonly guard: Guard; readonly at: number } | null>();

  const noted = (write: Promise<null>) => {
    write.catch((error: unknown) => log.warn({ err: error }, 'what became of an answer could not be noted'));
  };
  const lost = (guard: Guard) => noted(writer.write(markAnswersLost, guard));

  function handOver(socket: Socket | null, guard: Guard): void {
    noted(writer.write(forgetAnswers, guard));
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
    if (hadError && last && clock.monotonic() - last.at < BREAKS_WITHIN_MS) lost(last.guard);
  }

  return {
    follow(reply, guard) {
      const { raw } = reply;
      // The socket is gone from the response when that has ended.
      const { socket } = raw;
      if (raw.destroyed || socket?.readableEnded) {
        lost(guard);
        return;
      }
      let isWritten = false;
      raw.once('finish', () => {
        isWritten = true;
      });
      raw.once('close', () => (isWritten ? handOver(socket, guard) : lost(guard)));
    },
    goesOn(socket) {
      if (handedOver.has(socket)) handedOver.set(socket, null);
    },
  };
}
