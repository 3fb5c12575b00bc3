/** `/bridge/v1/files` and `/bridge/v1/uploads`: the bytes that an agent sends out, and those that came in to its line. */
import { FILES_PATH, UPLOADS_PATH } from '@trunkline/drivers';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../../domain/errors.ts';
import type { Line } from '../../domain/line.ts';
import { filenameFrom } from '../../files/filename.ts';
import type { LineFileDeps } from '../../files/line-files.ts';
import { addPiece, PIECE_MAX_BYTES, type Piece, readUpload } from '../../files/line-uploads.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { findFile } from '../../store/files.ts';
import { rangeOf } from '../byte-range.ts';
import { lineOfDevice, requireDevice, tokenIn } from './device-at.ts';

export interface BridgeFileDeps extends LineFileDeps {
  readonly registry: LineRegistry;
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

export async function addBridgeFiles(app: FastifyInstance, deps: BridgeFileDeps): Promise<void> {
  // Whatever the body is, it is read by its row.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

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
      mimeType: request.headers['content-type'] ?? null,
    };
    return addPiece(deps, line, claims, pieceOf(request), request.raw);
  });
}

async function lineAt({ engine, registry }: BridgeFileDeps, request: FastifyRequest): Promise<Line> {
  const device = await requireDevice(engine, tokenIn(request.headers));
  const { line: handle } = request.query as Readonly<Record<string, unknown>>;
  const line = lineOfDevice(registry, device, typeof handle === 'string' ? handle : null);
  if (!line) throw new ApiError('line_not_found', { param: 'line' });
  return line;
}

/** No database can look for a NUL. */
function paramOf(request: FastifyRequest, name: string): string {
  const value = (request.params as Readonly<Record<string, string>>)[name] ?? '';
  if (value.includes('\0')) throw new ApiError('route_not_found');
  return value;
}

function pieceOf(request: FastifyRequest): Piece {
  const [, first, last, total] = CONTENT_RANGE.exec(request.headers['content-range'] ?? '') ?? [];
  const piece = { start: Number(first), size: Number(last) - Number(first) + 1, total: Number(total) };
  const isSound = piece.size > 0 && piece.start + piece.size <= piece.total && piece.size <= PIECE_MAX_BYTES;
  if (total === undefined || !isSound || Number(request.headers['content-length']) !== piece.size) {
    throw new ApiError('bad_request', {
      message: 'An upload needs a Content-Range, and a Content-Length that is its.',
    });
  }
  return piece;
}
