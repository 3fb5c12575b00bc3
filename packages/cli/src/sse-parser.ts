/** Reads server-sent events from text that comes in pieces. */

const BLOCK_MAX_CHARS = 16 * 1024 * 1024;

export interface ServerSentEvent {
  /** Null where the event named none. */
  readonly id: string | null;
  readonly data: string;
}

/** Gives the events that became whole with each piece. Comments, and blocks without data, are no events. */
export function createSseParser(): (piece: string) => ServerSentEvent[] {
  let rest = '';
  return (piece) => {
    rest += piece;
    if (rest.length > BLOCK_MAX_CHARS) throw new Error('an event of the stream is too large');
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    return blocks.flatMap((block) => parseBlock(block) ?? []);
  };
}

function parseBlock(block: string): ServerSentEvent | null {
  let id: string | null = null;
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === 'id') id = value;
    if (name === 'data') data.push(value);
  }
  return data.length === 0 ? null : { id, data: data.join('\n') };
}
