/** `/bridge/v1/files` and `/bridge/v1/uploads`: the bytes that an agent sends out, and those that came in to its line. */
import { FILES_PATH, UPLOADS_PATH } from '@trunkline/drivers';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { FailedAttempts } from '../../access/failed-attempts.ts';
import { ApiError } from '../../domain/errors.ts';
import type { Line } from '../../domain/line.ts';
import { BrokenUploadError } from '../../files/blobs.ts';
import { filenameFrom } from '../../files/filename.ts';
import type { LineFileDeps } from '../../files/line-files.ts';
import { addPiece, PIECE_MAX_BYTES, type Piece, readUpload } from '../../files/line-uploads.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { findFile } from '../../store/files.ts';
import { rangeOf } from '../byte-range.ts';
import type { SlowUploads } from '../slow-uploads.ts';
import { lineOfDevice, requireDevice } from './device-at.ts';

export interface BridgeFileDeps extends LineFileDeps {
  readonly registry: LineRegistry;
  readonly failedAttempts: FailedAttempts;
}

/** As rows, for what answers other methods. */
export const BRIDGE_FILE_ROUTES = [
  { method: 'GET', path: `${FILES_PATH}/:id` },
  { method: 'GET', path: `${UPLOADS_PATH}/:name` },
  { method: 'PUT', path: `${UPLOADS_PATH}/:name` },
] as const;

/** A reader that takes nothing for so long has gone. */
const STALL_MS = 30_000;
const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/;
/** Nothing more comes: a file is so long. */
const CONTENT_END = /^bytes \*\/(\d{1,15})$/;
const ANY_TYPE = 'application/octet-stream';

export async function addBridgeFiles(
  app: FastifyInstance,
  deps: BridgeFileDeps,
  slowUploads: SlowUploads,
): Promise<void> {
  // Whatever the body is, it is read by its row.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  // The framework would refuse a type that it cannot read, and a phone's files are of any.
  app.addHook('onRequest', (request, _reply, done) => {
    request.claimedType = request.raw.headers['content-type'];
    request.raw.headers['content-type'] = ANY_TYPE;
    done();
  });

  app.get(`${FILES_PATH}/:id`, async (request, reply) => {
    const line = await lineAt(deps, request);
    const file = await findFile(deps.engine, line.accountRef, paramOf(request, 'id'));
    if (!file) throw new ApiError('file_not_found');
    const validators = { etag: `"${file.id}"`, lastModified: new Date(file.createdAt).toUTCString() };
    const range = rangeOf(request.headers, file.size, validators);
    if (range === 'unsatisfiable') return reply.code(416).header('content-range', `bytes */${file.size}`).send();
    const { start, end } = range ?? { start: 0, end: file.size - 1 };
    const bytes = await deps.blobs.open(file.id, range);
    if (!bytes) throw new Error(`The bytes of ${file.id} are missing.`);
    if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${file.size}`);
    reply.headers({ 'content-type': 'application/octet-stream', 'content-length': end - start + 1 });
    reply.raw.setTimeout(STALL_MS, () => reply.raw.destroy());
    return reply.send(bytes);
  });

  app.get(`${UPLOADS_PATH}/:name`, async (request) => {
    const line = await lineAt(deps, request);
    return readUpload(deps, line, paramOf(request, 'name'));
  });

  app.put(`${UPLOADS_PATH}/:name`, async (request) => {
    const line = await lineAt(deps, request);
    const claims = {
      name: paramOf(request, 'name'),
      filename: filenameFrom(request.headers['x-filename']?.toString()),
      mimeType: request.claimedType ?? null,
    };
    const piece = pieceOf(request);
    slowUploads.begin(request.raw);
    return addPiece(deps, line, claims, piece, request.raw).catch((error: unknown) => {
      // Nobody is there to hear of it.
      if (error instanceof BrokenUploadError) throw new ApiError('bad_request', { message: 'The body broke off.' });
      throw error;
    });
  });
}

async function lineAt(deps: BridgeFileDeps, request: FastifyRequest): Promise<Line> {
  const device = await requireDevice(deps, request);
  const { line: handle } = request.query as Readonly<Record<string, unknown>>;
  const line = lineOfDevice(deps.registry, device, typeof handle === 'string' ? handle : null);
  if (!line) throw new ApiError('line_not_found', { param: 'line' });
  return line;
}

/** No database can look for a NUL. */
function paramOf(request: FastifyRequest, name: string): string {
  const value = (request.params as Readonly<Record<string, string>>)[name] ?? '';
  if (value.includes('\0')) throw new ApiError('route_not_found');
  return value;
}

function pieceOf({ headers }: FastifyRequest): Piece {
  const range = headers['content-range'] ?? '';
  const [, end] = CONTENT_END.exec(range) ?? [];
  const [, first, last, total] = CONTENT_RANGE.exec(range) ?? [];
  const piece =
    end === undefined
      ? { start: Number(first), size: Number(last) - Number(first) + 1, total: Number(total) }
      : { start: Number(end), size: 0, total: Number(end) };
  const isSound = end !== undefined || (piece.size > 0 && piece.start + piece.size <= piece.total);
  if (!isSound || Number(headers['content-length'] ?? (end && '0')) !== piece.size) {
    throw new ApiError('bad_request', {
      message: 'An upload needs a Content-Range, and a Content-Length that is its.',
    });
  }
  if (piece.size > PIECE_MAX_BYTES) {
    throw new ApiError('payload_too_large', { message: `A piece may have ${PIECE_MAX_BYTES} bytes at most.` });
  }
  return piece;
}
