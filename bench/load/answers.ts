/** Requests and answers as bytes: as much of HTTP as the loads need, at little cost. */

const HEAD_MAX_BYTES = 16_384;
const HEAD_END = '\r\n\r\n';
const SHOWN_CHARACTERS = 300;

export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  /** Beside the key's. */
  readonly headers?: Readonly<Record<string, string>>;
}

export function renderRequest(loop: { readonly origin: string; readonly key: string }, request: LoadRequest): Buffer {
  const { host } = new URL(loop.origin);
  const lines = [`${request.method} ${request.path} HTTP/1.1`, `host: ${host}`, `authorization: Bearer ${loop.key}`];
  for (const [name, value] of Object.entries(request.headers ?? {})) lines.push(`${name}: ${value}`);
  if (request.body !== undefined) {
    lines.push('content-type: application/json', `content-length: ${Buffer.byteLength(request.body)}`);
  }
  return Buffer.from(`${lines.join('\r\n')}${HEAD_END}${request.body ?? ''}`);
}

/** As much of HTTP as these servers speak: one answer at a time, its length named in its head. */
export function createAnswerReader(onAnswer: (status: number, text: () => string) => void): (chunk: Buffer) => void {
  let head: Buffer | null = null;
  let status = 0;
  let missing = 0;
  return (chunk) => {
    if (missing > 0) {
      missing -= chunk.length;
      if (missing === 0) onAnswer(status, () => chunk.toString('utf8').slice(0, SHOWN_CHARACTERS));
      if (missing < 0) throw new Error('An answer is longer than its head says.');
      return;
    }
    const bytes: Buffer = head ? Buffer.concat([head, chunk]) : chunk;
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) {
      if (bytes.length > HEAD_MAX_BYTES) throw new Error('The head of an answer never ends.');
      head = bytes;
      return;
    }
    head = null;
    const text = bytes.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    if (length === undefined) throw new Error(`An answer does not say how long it is: ${text}`);
    status = Number(text.slice(9, 12));
    missing = end + HEAD_END.length + Number(length) - bytes.length;
    if (missing === 0) onAnswer(status, () => bytes.toString('utf8', end).slice(0, SHOWN_CHARACTERS));
    if (missing < 0) throw new Error('An answer is longer than its head says.');
  };
}
