/**
 * An upload may take longer than any other request, as long as its bytes keep coming. Node cuts a request off when its time
 * is over; an upload that has come fast enough until then is spared, and looked at from then on.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../clock.ts';
import type { HttpLimits } from './http-limits.ts';

export interface SlowUploads {
  /** The request's body is a file, and its key may bring it. */
  begin(request: IncomingMessage): void;
  /** Whether the request, whose time is over, may go on; then `cutOff` is called if it falls behind later. */
  mayGoOn(request: IncomingMessage, cutOff: () => void): boolean;
}

export function createSlowUploads(clock: Clock, limits: HttpLimits): SlowUploads {
  const windowMs = limits.requestTimeoutMs;
  const leastBytes = (limits.uploadBytesPerSecondMin * windowMs) / 1_000;
  const readBefore = new WeakMap<IncomingMessage, number>();

  function hasKeptUp(request: IncomingMessage): boolean {
    const before = readBefore.get(request);
    if (before === undefined) return false;
    const read = request.socket.bytesRead;
    readBefore.set(request, read);
    return read - before >= leastBytes;
  }

  return {
    begin(request) {
      readBefore.set(request, request.socket.bytesRead);
    },
    mayGoOn(request, cutOff) {
      if (!hasKeptUp(request)) return false;
      let cancel: () => void = () => undefined;
      const lookAgain = () => {
        cancel = clock.after(windowMs, () => {
          if (request.complete) return;
          if (hasKeptUp(request)) lookAgain();
          else cutOff();
        });
      };
      lookAgain();
      request.once('close', () => cancel());
      return true;
    },
  };
}
