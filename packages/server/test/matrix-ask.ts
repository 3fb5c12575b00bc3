/** One request of the matrix or the fuzzer, asked as the row needs it, and the answer as it came. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { expectDocumentedAnswer } from './documented.ts';
import type { Asked } from './matrix-row.ts';
import type { Scene } from './matrix-scene.ts';
import { isSendblue } from './tenancy.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface RawRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: string | Buffer;
}

let requests = 0;

/** An address of its own every now and then: wrong keys are limited per address. */
function nextAddress(): string {
  requests++;
  return `10.${(requests >> 16) & 255}.${(requests >> 8) & 255}.1`;
}

/** What a request says of its key, in the manner of its path's dialect. */
export function credentialsOf(path: string, { authorization, keyId }: Credentials): Record<string, string> {
  if (authorization === null) return {};
  if (!isSendblue(path)) return { authorization };
  return { 'sb-api-key-id': keyId, 'sb-api-secret-key': authorization.replace(/^Bearer /, '') };
}

export interface Credentials {
  /** The whole value of `Authorization`, or null for no such header. */
  readonly authorization: string | null;
  readonly keyId: string;
}

export function rawRequest(method: string, asked: Asked, credentials: Credentials): RawRequest {
  const query = asked.query === undefined ? '' : `?${new URLSearchParams(asked.query)}`;
  return {
    method,
    url: `${asked.path}${query}`,
    headers: {
      ...credentialsOf(asked.path, credentials),
      ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(asked.type === undefined ? {} : { 'content-type': asked.type }),
    },
    ...(asked.body === undefined ? {} : { payload: JSON.stringify(asked.body) }),
    ...(asked.bytes === undefined ? {} : { payload: asked.bytes }),
  };
}

export async function ask({ test }: Scene, { method, url, headers, payload }: RawRequest): Promise<RawAnswer> {
  const response = await test.server.app.inject({
    // Methods that the server does not know are the point of some tests.
    method: method as 'GET',
    url,
    headers,
    remoteAddress: nextAddress(),
    ...(payload === undefined ? {} : { payload }),
  });
  const answer = { status: response.statusCode, headers: textHeaders(response.headers), text: response.body };
  if (answer.headers['content-type']?.startsWith('application/json') && answer.text !== '') {
    expectDocumentedAnswer(test.server.routes, { method, url, status: answer.status, body: bodyOf(answer) });
  }
  return answer;
}

/** Over a socket, byte for byte: an answer that does not end is left once its head is there. */
export async function askBySocket({ address }: Scene, asked: RawRequest): Promise<RawAnswer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const { method, url, headers, payload } = asked;
    const sent = httpRequest(address, { method, path: url, headers, agent: false }, resolve);
    sent.on('error', reject).end(payload);
  });
  const head = { status: response.statusCode ?? 0, headers: textHeaders(response.headers) };
  if (head.headers['content-type']?.startsWith('text/event-stream')) {
    response.destroy();
    return { ...head, text: '' };
  }
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  return { ...head, text: Buffer.concat(chunks).toString('utf8') };
}

export function bodyOf(answer: RawAnswer): Record<string, unknown> {
  const parsed: unknown = JSON.parse(answer.text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error('Not a JSON object.');
  return parsed as Record<string, unknown>;
}

function textHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
