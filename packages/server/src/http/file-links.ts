/**
 * `GET /files/<id>/<name>`: the bytes of a file, for whoever has a link to it. What is wrong with a link is not told: it is
 * there, or it is not. Nothing that is served here runs in a browser as a page of this server.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../domain/errors.ts';
import { isFileId, type StoredFile } from '../domain/file.ts';
import type { FileLinks } from '../domain/file-links.ts';
import type { Blobs } from '../files/blobs.ts';
import { servedAs } from '../files/content-type.ts';
import type { Engine } from '../store/database.ts';
import { findAnyFile } from '../store/files.ts';
import { isNotModified, rangeOf } from './byte-range.ts';

/** A reader that takes nothing for so long has gone. */
const STALL_MS = 30_000;
const CACHE_SECONDS_MAX = 86_400;

/** As rows, for what answers other methods. */
export const FILE_LINK_ROUTES = [{ method: 'GET', path: '/files/:id/:filename' }] as const;

export interface FileLinkDeps {
  readonly engine: Engine;
  readonly blobs: Blobs;
  readonly links: FileLinks;
}

export function addFileLinks(app: FastifyInstance, deps: FileLinkDeps): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/files/:id/:filename',
    handler: async (request, reply) => {
      const { file, validMs } = await findLinked(deps, request);
      const validators = { etag: `"${file.id}"`, lastModified: new Date(file.createdAt).toUTCString() };
      reply.headers({
        ...headersOf(file, validMs),
        etag: validators.etag,
        'last-modified': validators.lastModified,
      });
      if (isNotModified(request.headers, validators)) return reply.code(304).send();
      const range = request.method === 'GET' ? rangeOf(request.headers, file.size, validators) : null;
      if (range === 'unsatisfiable') {
        return reply.code(416).header('content-range', `bytes */${file.size}`).removeHeader('content-type').send();
      }
      const { start, end } = range ?? { start: 0, end: file.size - 1 };
      if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${file.size}`);
      reply.header('content-length', end - start + 1);
      if (request.method === 'HEAD' || file.size === 0) return reply.send();
      const bytes = await deps.blobs.open(file.id, range);
      if (!bytes) throw new Error(`The bytes of ${file.id} are missing.`);
      reply.raw.setTimeout(STALL_MS, () => reply.raw.destroy());
      return reply.send(bytes);
    },
  });
}

async function findLinked(
  { engine, links }: FileLinkDeps,
  request: FastifyRequest,
): Promise<{ file: StoredFile; validMs: number }> {
  const { id = '' } = request.params as Readonly<Record<string, string>>;
  const { expires, signature } = request.query as Readonly<Record<string, unknown>>;
  const isWhole = typeof expires === 'string' && typeof signature === 'string' && isFileId(id);
  const validMs = isWhole ? links.validFor(id, expires, signature) : null;
  const file = validMs === null ? null : await findAnyFile(engine, id);
  if (!file || validMs === null) throw new ApiError('file_not_found');
  return { file, validMs };
}

function headersOf(file: StoredFile, validMs: number): Record<string, string> {
  const { type, disposition } = servedAs(file.contentType);
  const maxAge = Math.min(Math.floor(validMs / 1_000), CACHE_SECONDS_MAX);
  return {
    'content-type': type,
    'content-disposition': dispositionOf(disposition, file.filename ?? file.id),
    'accept-ranges': 'bytes',
    'cache-control': `private, max-age=${maxAge}`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'",
    'referrer-policy': 'no-referrer',
    // The link is all that is needed, so pages of any origin that have it may read the file.
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
  };
}

/** The name twice: for old clients in ASCII, for the others in UTF-8. */
function dispositionOf(disposition: string, filename: string): string {
  const ascii = filename.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(filename).replace(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  return `${disposition}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
