/** Reads server-sent events from bytes that come in pieces, however they are cut. */
import { ConnectionError } from './errors.ts';

/** What one event may hold: a server that never ends a line must not fill the memory. */
const EVENT_MAX_CHARS = 16 * 1024 * 1024;

export interface ServerSentEvent {
  /** Null where no event has named one yet. */
  readonly id: string | null;
  readonly data: string;
}

/** Gives the events that became whole with each piece. Comments, and blocks without data, are no events. */
export function createSseParser(): (piece: Uint8Array) => ServerSentEvent[] {
  // It drops the mark at the beginning of a text by itself, and keeps a letter that is cut in two.
  const decoder = new TextDecoder();
  let rest = '';
  let id: string | null = null;
  let data: string[] = [];
  let size = 0;

  const take = (line: string): ServerSentEvent[] => {
    if (line === '') {
      const event = data.length === 0 ? [] : [{ id, data: data.join('\n') }];
      data = [];
      size = 0;
      return event;
    }
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'id' && !value.includes('\0')) id = value;
    if (name === 'data') {
      data.push(value);
      size += value.length;
    }
    return [];
  };

  return (piece) => {
    rest += decoder.decode(piece, { stream: true });
    if (rest.length + size > EVENT_MAX_CHARS) throw tooLarge();
    // A carriage return at the very end may be the first half of a line's end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    return lines.flatMap(take);
  };
}

function tooLarge(): ConnectionError {
  const message = 'An event of the stream is too large to be one.';
  return new ConnectionError({ status: 0, type: 'connection_error', code: 'unexpected_answer', message });
}
