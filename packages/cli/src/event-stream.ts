/** Follows `GET /v1/events` for as long as it is asked to, through lost connections and restarts of the server. */
import type { Api, Query } from './api.ts';
import { reasonOf } from './api.ts';
import { Refusal, Unreachable } from './failure.ts';
import { asFields, type Fields, numberOf, parseFields, textOf } from './fields.ts';
import { createSseParser } from './sse-parser.ts';

const HEAD_WITHIN_MS = 30_000;
/** The server sends a heartbeat every 15 s: a connection that is silent for three of them is gone. */
const SILENT_MAX_MS = 45_000;
const BACK_OFF_FIRST_MS = 500;
const BACK_OFF_MAX_MS = 10_000;
/** Where the stream begins, said by the server before there is any event to say it. */
const CURSOR_HEADER = 'x-event-cursor';

export interface StreamedEvent {
  readonly type: string;
  readonly data: Fields;
  readonly timestamp: number;
}

/** A place in the log, and the event there. Null: the stream stands here, and nothing has happened since. */
export interface Place {
  readonly cursor: string;
  readonly event: StreamedEvent | null;
}

export interface FollowOptions {
  readonly query: Query;
  /** The cursor after which to begin; null: now. */
  readonly after: string | null;
  readonly wait: (ms: number) => Promise<void>;
  /** Hears of lost connections. */
  readonly note: (line: string) => void;
}

/** Ends only by throwing: when the server refuses the stream, or was never reached at all. */
export async function* followEvents(api: Api, options: FollowOptions): AsyncGenerator<Place> {
  let cursor: string | null = null;
  let hasOpened = false;
  let backOffMs = BACK_OFF_FIRST_MS;
  for (;;) {
    const cut = new AbortController();
    let reason = 'the connection ended';
    try {
      const response = await openStream(api, options, cursor, cut);
      if (hasOpened) options.note('Connected again.');
      hasOpened = true;
      const start = response.headers.get(CURSOR_HEADER);
      if (start !== null && cursor === null) {
        cursor = start;
        yield { cursor, event: null };
      }
      for await (const event of readStream(response, cut)) {
        backOffMs = BACK_OFF_FIRST_MS;
        cursor = event.id;
        yield { cursor, event: event.event };
      }
    } catch (error) {
      if (!isPassing(error, hasOpened)) throw error;
      reason = error instanceof Refusal ? error.message : reasonOf(error);
      const seconds = error instanceof Refusal ? error.detail.retryAfter : null;
      if (seconds !== null) backOffMs = Math.min(BACK_OFF_MAX_MS, Math.max(backOffMs, seconds * 1_000));
    } finally {
      cut.abort();
    }
    options.note(`The event stream is lost (${reason}); trying again in ${backOffMs / 1_000} s.`);
    await options.wait(backOffMs);
    backOffMs = Math.min(BACK_OFF_MAX_MS, backOffMs * 2);
  }
}

async function openStream(
  api: Api,
  options: FollowOptions,
  cursor: string | null,
  cut: AbortController,
): Promise<Response> {
  const timer = setTimeout(() => cut.abort(new Error('no answer came in time')), HEAD_WITHIN_MS);
  const headers: Record<string, string> = { accept: 'text/event-stream' };
  if (cursor !== null) headers['last-event-id'] = cursor;
  const query = cursor === null ? { ...options.query, after: options.after } : options.query;
  try {
    return await api.open('/v1/events', { query, headers }, cut.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** The errors of the connection come out as they are; those of whoever reads from here do not come through here. */
async function* readStream(
  response: Response,
  cut: AbortController,
): AsyncGenerator<{ readonly id: string; readonly event: StreamedEvent }> {
  const parse = createSseParser();
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  if (!reader) return;
  for (;;) {
    const timer = setTimeout(() => cut.abort(new Error('the connection fell silent')), SILENT_MAX_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return;
    for (const { id, data } of parse(decoder.decode(value, { stream: true }))) {
      const body = parseFields(data);
      const type = body === null ? null : textOf(body, 'event');
      if (body === null || type === null || id === null) throw new Error('the stream holds something that is no event');
      yield { id, event: { type, data: asFields(body['data']), timestamp: numberOf(body, 'timestamp') ?? 0 } };
    }
  }
}

/** Whether another try may go better. A refusal of the request itself will be the same for ever. */
function isPassing(error: unknown, hasOpened: boolean): boolean {
  if (error instanceof Refusal) return hasOpened && (error.detail.status >= 500 || error.detail.status === 429);
  if (error instanceof Unreachable) return hasOpened;
  return hasOpened && error instanceof Error;
}
