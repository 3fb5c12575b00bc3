/**
 * A bucket in memory that takes nothing on trust: every request must carry a signature (SigV4) that is right for its
 * method, path, query, headers and body, made with the one key there is, in the last quarter of an hour.
 */
import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const ACCESS_KEY = 'AKIDTRUNKLINE';
/** With what must be encoded in a URL. */
export const SECRET = 'a/b+c d%&=?#@:é';
export const REGION = 'eu-test-1';
export const BUCKET = 'files';
const SKEW_MAX_MS = 15 * 60_000;
const UNSIGNED = 'UNSIGNED-PAYLOAD';
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

export interface SignedRequest {
  readonly method: string;
  /** Path and query as they are sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly signedHeaders: readonly string[];
}

/** The signature that this request must have. */
export function signatureOf(request: SignedRequest, secret: string, region: string): string {
  const date = String(request.headers['x-amz-date']);
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const [path = '', query = ''] = request.url.split('?');
  const canonical = [
    request.method,
    path,
    canonicalQuery(query),
    ...request.signedHeaders.map((name) => `${name}:${String(request.headers[name] ?? '').trim()}`),
    '',
    request.signedHeaders.join(';'),
    String(request.headers['x-amz-content-sha256']),
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, date.slice(0, 8)), region), 's3'), 'aws4_request');
  return createHmac('sha256', key).update(toSign).digest('hex');
}

export interface FakeS3 {
  readonly endpoint: string;
  /** As `TRUNKLINE_BLOBS_URL` has it. */
  address(secret?: string): string;
  readonly objects: Map<string, Buffer>;
  /** Multipart uploads that were neither completed nor aborted. */
  readonly uploads: Map<string, Map<number, Buffer>>;
  /** Each request that was taken, as `PUT /files/ab/name?partNumber=1`, and why others were refused. */
  readonly taken: string[];
  readonly refused: string[];
  /** From now on requests for which it is true are answered with 500. */
  failOn(isBroken: (line: string) => boolean): void;
  close(): Promise<void>;
}

export async function startFakeS3(now: () => number = Date.now): Promise<FakeS3> {
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, Map<number, Buffer>>();
  const [taken, refused]: [string[], string[]] = [[], []];
  let isBroken: (line: string) => boolean = () => false;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks);
    const line = `${request.method} ${request.url}`;
    const why = refusalOf(request, body, now());
    if (why !== null) {
      refused.push(why);
      answerError(response, why === 'MissingContentLength' ? 411 : 403, why);
      return;
    }
    taken.push(line);
    if (isBroken(line)) answerError(response, 500, 'InternalError');
    else answer({ objects, uploads }, request, body, response);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    address: (secret = SECRET) =>
      `s3://${ACCESS_KEY}:${encodeURIComponent(secret)}@bucket.invalid/${BUCKET}?region=${REGION}&endpoint=${endpoint}`,
    objects,
    uploads,
    taken,
    refused,
    failOn(when) {
      isBroken = when;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Why a request is not taken, by S3's own codes; null where it is. */
function refusalOf(request: IncomingMessage, body: Buffer, now: number): string | null {
  const { headers } = request;
  const [, accessKey, day, region, names = '', signature = ''] = AUTHORIZATION.exec(headers.authorization ?? '') ?? [];
  if (accessKey === undefined) return 'AccessDenied';
  if (accessKey !== ACCESS_KEY) return 'InvalidAccessKeyId';
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date']));
  if (!date || region !== REGION || date[0].slice(0, 8) !== day) return 'AuthorizationHeaderMalformed';
  const [year, month, dayOfMonth, hour, minute, second] = date.slice(1).map(Number);
  const at = Date.UTC(year ?? 0, (month ?? 0) - 1, dayOfMonth, hour, minute, second);
  if (Math.abs(at - now) > SKEW_MAX_MS) return 'RequestTimeTooSkewed';
  const signedHeaders = names.split(';');
  const mustBeSigned = [
    'host',
    ...Object.keys(headers).filter((name) => name.startsWith('x-amz-') || name === 'range'),
  ];
  const isSorted = JSON.stringify(signedHeaders) === JSON.stringify([...signedHeaders].sort());
  if (!isSorted || mustBeSigned.some((name) => !signedHeaders.includes(name))) return 'AccessDenied';
  const wanted = signatureOf(
    { method: request.method ?? '', url: request.url ?? '', headers, signedHeaders },
    SECRET,
    REGION,
  );
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(wanted))) return 'SignatureDoesNotMatch';
  const payload = String(headers['x-amz-content-sha256']);
  if (payload !== UNSIGNED && payload !== createHash('sha256').update(body).digest('hex'))
    return 'XAmzContentSHA256Mismatch';
  return body.length > 0 && headers['content-length'] === undefined ? 'MissingContentLength' : null;
}

interface Kept {
  readonly objects: Map<string, Buffer>;
  readonly uploads: Map<string, Map<number, Buffer>>;
}

function answer({ objects, uploads }: Kept, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
  const prefix = `/${BUCKET}/`;
  const key = pathname.slice(prefix.length);
  if (!pathname.startsWith(prefix)) {
    answerError(response, 404, 'NoSuchBucket');
    return;
  }
  const uploadId = searchParams.get('uploadId');
  const parts = uploads.get(uploadId ?? '');
  const etag = `"${createHash('md5').update(body).digest('hex')}"`;
  if (uploadId !== null && !parts) {
    answerError(response, 404, 'NoSuchUpload');
    return;
  }
  if (request.method === 'POST' && searchParams.has('uploads')) {
    const id = randomUUID();
    uploads.set(id, new Map());
    answerXml(response, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  } else if (parts && request.method === 'POST') {
    const wanted = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(([, number]) =>
      Number(number),
    );
    objects.set(key, Buffer.concat(wanted.map((number) => parts.get(number) ?? Buffer.alloc(0))));
    uploads.delete(uploadId ?? '');
    answerXml(response, `<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>`);
  } else if (parts && request.method === 'PUT') {
    parts.set(Number(searchParams.get('partNumber')), body);
    response.writeHead(200, { etag }).end();
  } else if (request.method === 'PUT') {
    objects.set(key, body);
    response.writeHead(200, { etag }).end();
  } else if (request.method === 'DELETE') {
    if (parts) uploads.delete(uploadId ?? '');
    else objects.delete(key);
    response.writeHead(204).end();
  } else {
    answerObject(objects.get(key), request, response);
  }
}

function answerObject(bytes: Buffer | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (!bytes) {
    answerError(response, 404, 'NoSuchKey');
    return;
  }
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(first ?? 0);
  const part = bytes.subarray(start, last ? Number(last) + 1 : bytes.length);
  const range =
    first === undefined ? {} : { 'content-range': `bytes ${start}-${start + part.length - 1}/${bytes.length}` };
  response.writeHead(first === undefined ? 200 : 206, { 'content-length': part.length, ...range });
  response.end(request.method === 'HEAD' ? undefined : part);
}

function answerXml(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${text}`);
}

function answerError(response: ServerResponse, status: number, code: string): void {
  const text = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>Refused.</Message></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml', connection: 'close' }).end(text);
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const encode = (text: string) =>
    encodeURIComponent(decodeURIComponent(text)).replace(
      /[!'()*]/g,
      (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  return query
    .split('&')
    .map((pair) => pair.split('='))
    .map(([name = '', value = '']) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
}
