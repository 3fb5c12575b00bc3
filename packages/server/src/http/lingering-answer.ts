/**
 * A refusal in the middle of a long body. A connection that is closed with bytes unread resets, and the client would never
 * read why; so what it still sends is read and thrown away for a moment, while the whole answer is there already.
 */
import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import type { Clock } from '../clock.ts';

const LINGER_MS = 1_000;

/** Ends when the request has, or after that moment. */
export function lingeringAnswer(text: string, request: IncomingMessage, clock: Clock): Readable {
  const answer = new PassThrough();
  const end = () => {
    cancel();
    answer.end();
  };
  const cancel = clock.after(LINGER_MS, end);
  request.once('end', end);
  request.once('close', end);
  answer.write(text);
  request.resume();
  return answer;
}
