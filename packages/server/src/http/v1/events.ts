/** `GET /v1/events`: everything the key may see, as it happens, resumable without loss. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Authenticator } from '../../access/authenticate.ts';
import { ApiError } from '../../domain/errors.ts';
import { EVENTS, type EventType, isEventType } from '../../domain/events.ts';
import type { Scope } from '../../domain/scopes.ts';
import { formatCursor, parseCursor } from '../../events/cursor.ts';
import { type EventStream, type Sink, type StreamDeps, startStream } from '../../events/stream.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { resolveLine } from '../../lines/resolve.ts';
import { requirePhone, sharedLine } from '../../sandbox/view.ts';
import { logBounds } from '../../store/events.ts';
import { invalidValue, lineField, nameField, textField } from '../input.ts';
import { HANDLED, type Route, route } from '../route.ts';

const NAMES_MAX = 1_000;

export interface EventDeps extends Omit<StreamDeps, 'sharedLine'> {
  readonly registry: LineRegistry;
  readonly authenticator: Authenticator;
  /** The open streams, closed when the server stops. */
  readonly streams: Set<EventStream>;
}

export function eventRoutes(deps: EventDeps): Route[] {
  const streamDeps = { ...deps, sharedLine: sharedLine(deps) };
  return [
    route({
      name: 'streamEvents',
      summary: 'Streams everything that the key may see, as it happens.',
      description:
        'Server-sent events: each has the body of a delivery as `data`, without `delivery_id`, and a cursor as `id`. Give the last cursor back as `Last-Event-ID` (it wins over `after`) and nothing is lost or repeated. Without either the stream begins now; `X-Event-Cursor` in the head says where that is. A comment comes at once and then every 15 seconds.',
      answer: null,
      answerType: 'text/event-stream',
      refusals: ['line_not_found', 'line_not_accessible', 'sandbox_not_activated'],
      method: 'GET',
      path: '/v1/events',
      scope: 'messages:read',
      alsoBy: ['reactions:read', 'typing:read', 'receipts:read', 'lines:read'],
      hasHead: false,
      query: z.object({
        from: lineField.optional(),
        events: textField(NAMES_MAX).optional().describe('Only these events: their names, separated by commas.'),
        after: nameField.optional().describe('A cursor to begin after. Left out: the stream begins now.'),
      }),
      headers: { 'Last-Event-ID': 'The last cursor that came, to go on after it. It wins over `after`.' },
      async handle({ caller, query, request, reply }) {
        const types = query.events === undefined ? null : eventTypes(query.events);
        refuseEmptyStream(caller.scopes, types);
        const line = query.from === undefined ? null : await resolveLine(deps.registry, caller, query.from);
        if (line) await requirePhone(deps, caller.accountRef, line);
        const resumed = request.headers['last-event-id'];
        const after = await startingPoint(deps, typeof resumed === 'string' && resumed ? resumed : query.after);
        reply.hijack();
        const sink = openSink(reply, formatCursor(deps.epoch, after));
        const view = () => deps.authenticator.recheck(caller);
        const stream = startStream(streamDeps, { lineRef: line?.ref ?? null, types, after, view }, caller, sink);
        deps.streams.add(stream);
        const end = () => {
          deps.streams.delete(stream);
          stream.close();
        };
        reply.raw.on('close', end);
        // Whoever went away while the log was asked will not close a second time.
        if (reply.raw.destroyed) end();
        return HANDLED;
      },
    }),
  ];
}

/** The number after which to begin: the cursor's, or the newest. A cursor of another log or of the future is refused. */
async function startingPoint(deps: EventDeps, cursor: string | undefined): Promise<number> {
  const head = await deps.tail.current();
  if (cursor === undefined) return head;
  const after = parseCursor(deps.epoch, cursor);
  const { prunedThrough, newest } = await logBounds(deps.engine);
  if (after === null || after > Math.max(newest, head)) {
    throw invalidValue('after', 'is not a cursor of this event log');
  }
  if (after < prunedThrough) {
    throw invalidValue('after', 'is older than the events that are kept');
  }
  return after;
}

/** A stream on which nothing could come is refused. */
function refuseEmptyStream(scopes: ReadonlySet<Scope>, types: ReadonlySet<EventType> | null): void {
  const [first] = types ?? [];
  if (types === null || first === undefined || [...types].some((type) => scopes.has(EVENTS[type].scope))) return;
  const message = `This API key lacks the scope '${EVENTS[first].scope}' that the event '${first}' needs.`;
  throw new ApiError('insufficient_scope', { message });
}

function eventTypes(names: string): ReadonlySet<EventType> {
  const types = new Set<EventType>();
  for (const name of names.split(',').map((part) => part.trim())) {
    if (!isEventType(name)) throw invalidValue('events', `takes ${Object.keys(EVENTS).join(', ')}`);
    types.add(name);
  }
  return types;
}

/** The head says where the stream begins, so that a client that is cut off before its first event can resume too. */
function openSink(reply: FastifyReply, cursor: string): Sink {
  const response = reply.raw;
  response.writeHead(200, {
    // What the doors have said already: the request's id, the key's hour, who may read it in a browser.
    ...(reply.getHeaders() as OutgoingHttpHeaders),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    'x-event-cursor': cursor,
  });
  response.on('error', () => response.destroy());
  return {
    write: (text) => void response.write(text),
    unsent: () => response.writableLength,
    onDrained: (callback) =>
      void (response.writableLength === 0 ? setImmediate(callback) : response.once('drain', callback)),
    end: () => void response.end(),
  };
}
