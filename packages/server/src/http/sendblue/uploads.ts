/** Files in the manner of Sendblue: brought in a form, or fetched from where they are, for a later `media_url`. */
import { z } from 'zod';
import { type FetchFileDeps, fetchFile } from '../../files/fetch-file.ts';
import { keepUpload } from '../../files/keep-upload.ts';
import { mediaObjectBody } from '../../wire/sendblue.ts';
import type { LinkFile } from '../../wire/v1.ts';
import { TEXT_MAX, textField } from '../input.ts';
import { type Route, route } from '../route.ts';

export interface SendblueUploadDeps extends FetchFileDeps {
  readonly linkFile: LinkFile;
}

export function sendblueUploadRoutes(deps: SendblueUploadDeps): Route[] {
  const { linkFile } = deps;
  return [
    route({
      name: 'sendblueUploadFile',
      summary: 'Takes in a file from a form.',
      description:
        'One file, whatever its field is called; other fields are read over. The `media_url` of the answer may be sent as it is. The bytes are on disk with the answer.',
      answer: 'SendblueMediaObject',
      refusals: ['missing_required_parameter', 'unsupported_media_type', 'empty_file', 'file_too_large'],
      method: 'POST',
      path: '/api/upload-file',
      scope: 'files:write',
      status: 201,
      hasForm: true,
      async handle({ caller, upload, ticket }) {
        if (!upload) throw new Error('An upload reached its handler without its bytes.');
        const answer = mediaObjectBody(upload, linkFile);
        await keepUpload(deps, caller.accountRef, upload, ticket(answer));
        return answer;
      },
    }),
    route({
      name: 'sendblueUploadMediaObject',
      summary: 'Fetches a file by its URL, and keeps it.',
      description:
        'It is there with the answer, which takes as long as the fetch. The `media_url` of the answer may be sent as it is, for as long as it is good.',
      answer: 'SendblueMediaObject',
      method: 'POST',
      path: '/api/upload-media-object',
      scope: 'files:write',
      status: 201,
      body: z.object({ media_url: textField(TEXT_MAX).describe('Where the file is.') }),
      async handle({ caller, body, ticket }) {
        const wanted = { accountRef: caller.accountRef, url: body.media_url, param: 'media_url' };
        const file = await fetchFile(deps, wanted, (fetched) => ticket(mediaObjectBody(fetched, linkFile)));
        return mediaObjectBody(file, linkFile);
      },
    }),
  ];
}
