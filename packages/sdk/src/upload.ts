/** The bytes of an upload in whatever form they were given, and what the request says of them. */
import type { UploadFileParams, UploadSource } from './params.ts';
import type { RequestDetail } from './transport.ts';

/** An upload has longer than other calls: at least this many bytes pass in a second. */
const BYTES_PER_SECOND_MIN = 64 * 1024;
/** What a stream may turn out to hold: the most that a server takes by default. */
const STREAM_MAX_BYTES = 100 * 1024 * 1024;

/** `timeoutMs` is what any call has. */
export async function uploadRequest(params: UploadFileParams, timeoutMs: number): Promise<RequestDetail> {
  const { file } = params;
  const { body, size } = await bodyOf(file);
  const isBlob = file instanceof Blob;
  const mimeType = params.mimeType || (isBlob && file.type) || 'application/octet-stream';
  const filename = params.filename ?? (isBlob && 'name' in file ? String(file.name) : undefined);
  return {
    method: 'POST',
    path: '/v1/files',
    body,
    headers: { 'content-type': mimeType, ...(filename !== undefined && { 'x-filename': encodeFilename(filename) }) },
    isOnce: size === null,
    timeoutMs: timeoutMs + ((size ?? STREAM_MAX_BYTES) / BYTES_PER_SECOND_MIN) * 1_000,
  };
}

interface UploadBody {
  readonly body: NonNullable<RequestInit['body']>;
  /** Null: it comes as a stream, which can be read once. */
  readonly size: number | null;
}

async function bodyOf(file: UploadSource): Promise<UploadBody> {
  if (file instanceof Blob) return { body: file, size: file.size };
  if (file instanceof Uint8Array || file instanceof ArrayBuffer) {
    // A copy: what the caller does with its buffer meanwhile is not sent.
    const blob = new Blob([Uint8Array.from(file instanceof ArrayBuffer ? new Uint8Array(file) : file)]);
    return { body: blob, size: blob.size };
  }
  const stream = file instanceof ReadableStream ? file : streamOf(file);
  if (!isPage()) return { body: stream, size: null };
  // A page can send a stream over some connections only, so there it is read first.
  const blob = await new Response(stream).blob();
  return { body: blob, size: blob.size };
}

function streamOf(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(typeof value === 'string' ? new TextEncoder().encode(value) : Uint8Array.from(value));
    },
    async cancel(reason) {
      await iterator.return?.(reason);
    },
  });
}

function isPage(): boolean {
  return 'document' in globalThis || 'importScripts' in globalThis;
}

/** Percent-encoded UTF-8: a header holds no other letters than ASCII's. */
function encodeFilename(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}
