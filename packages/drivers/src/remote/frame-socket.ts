/** A WebSocket as both ends of a remote line use it: text frames in order, and an end that is noticed. */
import type { WebSocket } from 'ws';
import { CLOSE } from './frames.ts';

/** A connection on which no byte came for three of these is dead. */
const PING_EVERY_MS = 5_000;
const SILENT_PINGS_MAX = 2;
/** So much that the other end has not taken means that it takes nothing any more. */
const UNSENT_MAX_BYTES = 64 * 1024 * 1024;

export interface Ended {
  /** The WebSocket's close code; 1006 where the connection broke. */
  readonly code: number;
  readonly reason: string;
}

export interface FrameSocket {
  /** What is sent after the end is lost, as what was sent just before it may be. */
  send(frame: object): void;
  close(code: number, reason: string): void;
  /** Each frame in its order. What the listener throws ends the connection. */
  listen(listener: (data: string) => void): void;
  readonly ended: Promise<Ended>;
  readonly isOpen: boolean;
}

/** `stream` is what the socket reads from: a long frame on a slow connection comes byte by byte, and is no silence. */
export function wrapSocket(
  socket: WebSocket,
  stream: { readonly bytesRead: number },
  pingEveryMs = PING_EVERY_MS,
): FrameSocket {
  const ended = Promise.withResolvers<Ended>();
  const waiting: string[] = [];
  let listener: ((data: string) => void) | null = null;
  let bytesRead = 0;
  let silentPings = 0;

  const pings = setInterval(() => {
    silentPings = stream.bytesRead > bytesRead ? 0 : silentPings + 1;
    bytesRead = stream.bytesRead;
    if (silentPings > SILENT_PINGS_MAX || socket.bufferedAmount > UNSENT_MAX_BYTES) return socket.terminate();
    if (socket.readyState === socket.OPEN) socket.ping();
  }, pingEveryMs);

  function end(code: number, reason: string): void {
    clearInterval(pings);
    ended.resolve({ code, reason });
  }

  function hand(data: string): void {
    if (listener === null) {
      waiting.push(data);
      return;
    }
    try {
      listener(data);
    } catch (error) {
      socket.close(CLOSE.badFrame, reasonOf(error));
    }
  }

  socket.on('message', (data, isBinary) => {
    if (isBinary) socket.close(CLOSE.badFrame, 'Frames are text.');
    else hand(data.toString());
  });
  // A close follows each error, and says the rest.
  let broke = '';
  socket.on('error', (error) => {
    broke = error.message;
  });
  socket.on('close', (code, reason) => end(code, reason.toString() || broke));

  return {
    send(frame) {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
    },
    close(code, reason) {
      socket.close(code, shortReason(reason));
      // Whoever does not answer the close is not waited for.
      setTimeout(() => socket.terminate(), pingEveryMs).unref();
    },
    listen(next) {
      listener = next;
      for (const data of waiting.splice(0)) hand(data);
    },
    ended: ended.promise,
    get isOpen() {
      return socket.readyState === socket.OPEN;
    },
  };
}

function reasonOf(error: unknown): string {
  return shortReason(error instanceof Error ? error.message : String(error));
}

/** A close frame has room for 123 bytes. */
function shortReason(reason: string): string {
  let short = reason;
  while (Buffer.byteLength(short) > 123) short = short.slice(0, -1);
  return short;
}
