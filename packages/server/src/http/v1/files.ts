/** Files: uploaded here, and read by links that need no key. */
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import { ApiError } from '../../domain/errors.ts';
import { isFileId, LINK_VALID_MS, REDIRECT_VALID_MS, type StoredFile } from '../../domain/file.ts';
import type { FileLinks } from '../../domain/file-links.ts';
import { hasPrefix } from '../../domain/ids.ts';
import { type KeepUploadDeps, keepUpload } from '../../files/keep-upload.ts';
import type { Engine } from '../../store/database.ts';
import { findFile } from '../../store/files.ts';
import { fileBody } from '../../wire/v1.ts';
import { invalidValue, nameField } from '../input.ts';
import { type Route, route } from '../route.ts';

export interface FileDeps extends KeepUploadDeps {
  readonly engine: Engine;
  readonly links: FileLinks;
}

export function fileRoutes(deps: FileDeps): Route[] {
  const { engine, links } = deps;
  return [
    route({
      name: 'uploadFile',
      summary: 'Takes in a file, as raw bytes of any type.',
      description:
        'The bytes are on disk with the answer. `Content-Type` is the type that is claimed, `X-Filename` the name: UTF-8, Latin-1 or percent-encoded.',
      answer: 'File',
      refusals: ['empty_file', 'file_too_large'],
      method: 'POST',
      path: '/v1/files',
      scope: 'files:write',
      status: 201,
      rawBody: true,
      headers: {
        'Content-Type': 'The type that the file claims to be. Left out: `application/octet-stream`.',
        'X-Filename': 'Its name: UTF-8, Latin-1 or percent-encoded.',
      },
      async handle({ caller, upload, ticket }) {
        if (!upload) throw new Error('An upload reached its handler without its bytes.');
        const answer = fileBody(upload, links.url(upload.id, upload.filename, LINK_VALID_MS));
        await keepUpload(deps, caller.accountRef, upload, ticket(answer));
        return answer;
      },
    }),
    route({
      name: 'downloadFile',
      summary: 'Leads to the bytes of a file.',
      description: 'The `Location` is absolute, needs no key, and is good for an hour.',
      answer: null,
      refusals: ['file_not_found'],
      method: 'GET',
      path: '/v1/files',
      scope: 'files:read',
      status: 302,
      query: z.object({ id: nameField.describe('The file: its `file_` id.') }),
      async handle({ caller, query, reply }) {
        const { id, filename } = await fileOf(engine, caller, query.id);
        reply.header('location', links.url(id, filename, REDIRECT_VALID_MS));
        return {};
      },
    }),
    route({
      name: 'getFile',
      summary: 'Gives a file with a link to its bytes.',
      description: 'The `url` needs no key and is good for 30 days.',
      answer: 'File',
      refusals: ['invalid_parameter_value', 'file_not_found'],
      method: 'GET',
      path: '/v1/files/:id',
      params: { id: 'The file: its `file_` id.' },
      scope: 'files:read',
      async handle({ caller, params }) {
        const file = await fileOf(engine, caller, params['id'] ?? '');
        return fileBody(file, links.url(file.id, file.filename, LINK_VALID_MS));
      },
    }),
  ];
}

/** A file has no line: every key of its account that has the scope may read it. */
async function fileOf(engine: Engine, caller: Caller, id: string): Promise<StoredFile> {
  if (!hasPrefix('file', id)) throw invalidValue('id', 'must be a file_ id');
  const file = isFileId(id) ? await findFile(engine, caller.accountRef, id) : null;
  if (!file) throw new ApiError('file_not_found', { param: 'id' });
  return file;
}
