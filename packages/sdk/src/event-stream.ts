/** Follows `GET /v1/events` through lost connections and restarts of the server: nothing is lost, nothing comes twice. */
import { asFields, type Fields, readError } from './answer.ts';
import type { Connection } from './client-config.ts';
import { ConnectionError, MessagesError } from './errors.ts';
import { toCamelCaseKeys } from './key-case.ts';
import type { EventsParams } from './params.ts';
import { backOffMs, isPassing, RETRY_AFTER_MAX_MS, readRetryAfterMs, waitFor } from './retry.ts';
import { createSseParser } from './sse-parser.ts';
import { urlOf } from './transport.ts';
import type { StreamedEvent } from './webhook-events.ts';

/** The server sends a heartbeat every 15 s: a connection that is silent for three of them is gone. */
const SILENT_MAX_MS = 45_000;
/** How many of the newest events are remembered, to know one that comes again. */
const REMEMBERED_MAX = 1_000;
/** Where the stream begins, said by the server before there is any event to say it. */
const CURSOR_HEADER = 'x-event-cursor';

/** The events as they come. `break` closes the connection, and so does `return` while an event is awaited. */
export interface EventIterator extends AsyncIterableIterator<StreamedEvent, void, undefined> {
  return(): Promise<IteratorResult<StreamedEvent, void>>;
}

export function followEvents(connection: Connection, params: EventsParams): EventIterator {
  const ended = new AbortController();
  const end = () => ended.abort();
  if (params.signal?.aborted) end();
  params.signal?.addEventListener('abort', end, { once: true });
  const release = () => params.signal?.removeEventListener('abort', end);
  const events = untilEnded(follow(connection, params, ended.signal), ended.signal, release);
  return {
    next: () => events.next(),
    return() {
      end();
      // A generator that never began has nothing to end by.
      release();
      return events.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Whoever ended it did so on purpose: the iteration is over, and nothing has failed. */
async function* untilEnded(
  events: AsyncGenerator<StreamedEvent, void, undefined>,
  ended: AbortSignal,
  release: () => void,
): AsyncGenerator<StreamedEvent, void, undefined> {
  try {
    yield* events;
  } catch (error) {
    if (!ended.aborted) throw error;
  } finally {
    release();
  }
}

async function* follow(
  connection: Connection,
  params: EventsParams,
  ended: AbortSignal,
): AsyncGenerator<StreamedEvent, void, undefined> {
  const place: Place = { cursor: null, given: new Set(), wasOpen: false };
  for (let failures = 0; ; failures += 1) {
    ended.throwIfAborted();
    let reason: MessagesError | null = null;
    try {
      for await (const event of readConnection(connection, params, place, ended)) {
        failures = 0;
        yield event;
      }
    } catch (error) {
      if (!(error instanceof MessagesError) || !mayPass(error)) throw error;
      // A server that was never there may be the wrong one; one that was there comes back.
      if (!place.wasOpen && failures >= connection.retriesMax) throw error;
      reason = error;
    }
    const asked = reason?.headers && readRetryAfterMs(reason.headers);
    await waitFor(Math.min(RETRY_AFTER_MAX_MS, Math.max(backOffMs(failures), asked ?? 0)), ended);
  }
}

interface Place {
  /** After which to go on; null: the beginning, as the parameters say. */
  cursor: string | null;
  /** The newest cursors that were given, in their order. */
  readonly given: Set<string>;
  wasOpen: boolean;
}

/** The events of one connection, until it ends or breaks. */
async function* readConnection(
  connection: Connection,
  params: EventsParams,
  place: Place,
  ended: AbortSignal,
): AsyncGenerator<StreamedEvent, void, undefined> {
  const cut = new AbortController();
  const onEnded = () => cut.abort();
  ended.addEventListener('abort', onEnded, { once: true });
  try {
    const response = await within(connection.timeoutMs, cut, () => open(connection, params, place, cut.signal));
    place.wasOpen = true;
    place.cursor ??= response.headers.get(CURSOR_HEADER);
    const reader = response.body?.getReader();
    if (!reader) return;
    const parse = createSseParser();
    for (;;) {
      const { done, value } = await within(SILENT_MAX_MS, cut, () => reader.read());
      if (done) return;
      for (const { id, data } of parse(value)) {
        if (id === null || id === '' || place.given.has(id)) continue;
        const event = eventOf(data, id);
        remember(place, id);
        yield event;
      }
    }
  } finally {
    ended.removeEventListener('abort', onEnded);
    cut.abort();
  }
}

async function open(
  connection: Connection,
  params: EventsParams,
  place: Place,
  signal: AbortSignal,
): Promise<Response> {
  const { cursor } = place;
  const headers: Record<string, string> = { accept: 'text/event-stream', ...connection.headers };
  if (cursor !== null) headers['last-event-id'] = cursor;
  const url = urlOf(connection, '/v1/events', {
    from: params.from,
    events: params.events?.join(','),
    after: cursor === null ? params.after : undefined,
  });
  const response = await connection.fetch(url, { headers, signal, redirect: 'manual' });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (response.ok && isStream) return response;
  throw readError(response, await response.text(), connection.secret);
}

/** Cuts the connection when the time is over. Whatever the runtime throws becomes a `ConnectionError`. */
async function within<T>(ms: number, cut: AbortController, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => cut.abort(lost('The connection fell silent.', undefined)), ms);
  try {
    return await work();
  } catch (error) {
    if (error instanceof MessagesError) throw error;
    const reason: unknown = cut.signal.reason;
    throw reason instanceof MessagesError ? reason : lost('The event stream could not be read.', error);
  } finally {
    clearTimeout(timer);
  }
}

function lost(message: string, cause: unknown): ConnectionError {
  return new ConnectionError({ status: 0, type: 'connection_error', code: 'connection_failed', message, cause });
}

/** Whether another try may go better. A refusal of the request itself will be the same for ever. */
function mayPass(error: MessagesError): boolean {
  return error instanceof ConnectionError || isPassing(error.status, error.code);
}

function remember(place: Place, id: string): void {
  place.cursor = id;
  place.given.add(id);
  const [oldest] = place.given;
  if (place.given.size > REMEMBERED_MAX && oldest !== undefined) place.given.delete(oldest);
}

function eventOf(data: string, cursor: string): StreamedEvent {
  const body = parseEvent(data);
  if (typeof body?.['event'] !== 'string') {
    const message = 'The event stream holds something that is no event.';
    throw new MessagesError({ status: 200, type: 'api_error', code: 'unexpected_answer', message });
  }
  return { ...body, cursor } as StreamedEvent;
}

function parseEvent(data: string): Fields | null {
  try {
    return asFields(toCamelCaseKeys(JSON.parse(data)));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
