/** Uploads and downloads over real sockets, byte for byte. */
import { createHash } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Answer } from './harness.ts';
import { KEY } from './harness.ts';

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly key?: string | null;
}

/** `bytes`: a stream goes in chunks of unknown number. Header values are latin1, a character for each byte. */
export async function upload(
  address: string,
  bytes: Uint8Array | Readable,
  { headers = {}, key = KEY }: Sent = {},
): Promise<Answer> {
  const authorization = key === null ? {} : { authorization: `Bearer ${key}` };
  const length = bytes instanceof Readable ? {} : { 'content-length': String(bytes.length) };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { method: 'POST', headers: { ...authorization, ...length, ...headers }, agent: false };
    const sending = httpRequest(`${address}/v1/files`, options, resolve);
    sending.once('error', reject);
    if (bytes instanceof Readable) bytes.pipe(sending);
    else sending.end(bytes);
  });
  const text = (await bytesOf(response)).toString('utf8');
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: JSON.parse(text) as Record<string, unknown>,
  };
}

export interface Download {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

export async function download(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<Download> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(url, { method, headers, agent: false }, resolve).once('error', reject).end();
  });
  return { status: response.statusCode ?? 0, headers: response.headers, bytes: await bytesOf(response) };
}

/** The same bytes each time, and not twice the same within. */
export function* someBytes(size: number): Generator<Buffer> {
  for (let made = 0; made < size; ) {
    const piece = createHash('sha512').update(String(made)).digest();
    const block = Buffer.alloc(Math.min(64 * 1024, size - made), piece);
    yield block;
    made += block.length;
  }
}

export function hashOf(bytes: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
}

async function bytesOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
