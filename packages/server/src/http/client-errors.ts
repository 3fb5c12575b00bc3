/**
 * Requests that Node refuses before there is a request: heads that cannot be read or are too long, bytes that come too
 * slowly. They are answered in the same envelope as all else, and their connection is closed.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError, type ErrorCode } from '../domain/errors.ts';
import type { Ids } from '../domain/ids.ts';
import { errorBody, errorStatus } from '../wire/v1.ts';
import type { SlowUploads } from './slow-uploads.ts';

const TIMED_OUT = 'ERR_HTTP_REQUEST_TIMEOUT';
/** How long a refused client may take to hear the refusal: closing at once could cut it off. */
const LINGER_MS = 1_000;

const REFUSALS: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'payload_too_large',
  [TIMED_OUT]: 'request_timeout',
};

export interface ClientErrors {
  /** Told of every request and of its end, so that no refusal is written into the middle of another answer. */
  begun(request: IncomingMessage, response: ServerResponse): void;
  ended(request: IncomingMessage, response: ServerResponse): void;
  handle(error: NodeJS.ErrnoException, socket: Socket): void;
}

/** What a connection is at. */
interface Exchange {
  last: IncomingMessage | null;
  /** Requests without a whole answer, the oldest first. No Map: what it leaves behind keeps its former entries alive. */
  readonly open: { readonly request: IncomingMessage; readonly response: ServerResponse }[];
  isRefused: boolean;
}

export function createClientErrors(ids: Ids, slowUploads: SlowUploads): ClientErrors {
  const exchanges = new WeakMap<Socket, Exchange>();

  function exchangeOn(socket: Socket): Exchange {
    const exchange = exchanges.get(socket) ?? { last: null, open: [], isRefused: false };
    exchanges.set(socket, exchange);
    return exchange;
  }

  function refuse(error: NodeJS.ErrnoException, socket: Socket, exchange: Exchange): void {
    exchange.isRefused = true;
    const text = refusalText(new ApiError(REFUSALS[error.code ?? ''] ?? 'bad_request'), ids.make('request'));
    afterWholeRequests(exchange, () => closeWith(socket, isHalfAnswered(exchange) ? '' : text));
  }

  return {
    begun(request, response) {
      const exchange = exchangeOn(request.socket);
      exchange.last = request;
      exchange.open.push({ request, response });
    },
    ended(request, response) {
      const exchange = exchangeOn(request.socket);
      const place = exchange.open.findIndex((one) => one.response === response);
      if (place >= 0) exchange.open.splice(place, 1);
      // What is kept until the connection's next request outlives the cheap collections.
      if (exchange.last === request && request.complete) exchange.last = null;
    },
    handle(error, socket) {
      const exchange = exchangeOn(socket);
      if (exchange.isRefused) return;
      if (error.code === 'ECONNRESET' || !socket.writable) {
        socket.destroy();
        return;
      }
      const { last } = exchange;
      const cutOff = () => refuse(error, socket, exchange);
      // Node looks at a request once only, so what is spared here is watched by those who spared it.
      if (error.code === TIMED_OUT && last !== null && slowUploads.mayGoOn(last, cutOff)) return;
      cutOff();
    },
  };
}

/** Requests that came whole before the one that is refused are answered first. */
function afterWholeRequests(exchange: Exchange, act: () => void): void {
  const next = exchange.open.find(({ request }) => request.complete);
  if (next === undefined) act();
  else next.response.once('close', () => afterWholeRequests(exchange, act));
}

/** Whether the request that is refused, being cut short in its body, has begun to get an answer or has one. */
function isHalfAnswered({ last, open }: Exchange): boolean {
  if (last === null || last.complete) return false;
  const response = open.at(-1)?.response;
  return response === undefined || response.headersSent;
}

function closeWith(socket: Socket, text: string): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.end(text);
}

function refusalText(refusal: ApiError, requestId: string): string {
  const status = errorStatus(refusal);
  const body = JSON.stringify(errorBody(refusal, requestId));
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
