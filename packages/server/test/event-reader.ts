/** A client of the event stream over a real socket, which can be cut, stopped and taken up again. */
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { expectDocumentedEvent } from './documented.ts';
import { KEY } from './harness.ts';

export interface StreamedEvent {
  readonly id: string;
  readonly event: string;
  readonly timestamp: number;
  readonly data: Record<string, unknown>;
}

export interface EventReader {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Everything as it came. */
  text(): string;
  /** The events that came whole. */
  events(): readonly StreamedEvent[];
  /** Takes nothing more from the socket until `resume`. */
  pause(): void;
  resume(): void;
  isEnded(): boolean;
  /** Cuts the connection. */
  cut(): void;
}

export interface ReadOptions {
  readonly key?: string;
  /** After the question mark. */
  readonly query?: string;
  readonly lastEventId?: string;
}

/** Resolves once the answer's head is there. */
export async function readEvents(address: string, options: ReadOptions = {}): Promise<EventReader> {
  const { key = KEY, query = '', lastEventId } = options;
  const headers = {
    authorization: `Bearer ${key}`,
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(`${address}/v1/events?${query}`, { headers, agent: false }, resolve).on('error', reject).end();
  });
  let text = '';
  let isEnded = false;
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    text += chunk;
  });
  response.on('error', () => undefined);
  response.on('close', () => {
    isEnded = true;
  });
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: () => text,
    events: () => parseEvents(text).map(documented),
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    isEnded: () => isEnded,
    cut: () => void response.destroy(),
  };
}

function documented(event: StreamedEvent): StreamedEvent {
  const { id: _cursor, ...body } = event;
  expectDocumentedEvent(body);
  return event;
}

/** Blocks that a blank line ended; comments are left out. */
export function parseEvents(text: string): StreamedEvent[] {
  const blocks = text.split('\n\n').slice(0, -1);
  return blocks.flatMap((block) => {
    const match = /^id: (\S+)\ndata: ([^\n]*)$/.exec(block);
    if (!match) {
      if (!block.startsWith(':')) throw new Error(`Not an event: ${block.slice(0, 100)}`);
      return [];
    }
    const body = JSON.parse(match[2] ?? '') as Omit<StreamedEvent, 'id'>;
    return [{ id: match[1] ?? '', ...body }];
  });
}
