/** A body with filler in the place of its text and its names, in the bytes that macOS would have written. */
import { type AttributedRun, decodeAttributedBody } from '../text/attributed-body.ts';
import { encodeAttributedRuns } from '../text/encode-attributed-body.ts';
import { fillText } from './filler-text.ts';
import { fillFilename, type MadeUpNames } from './made-up-names.ts';

/** Null where the bytes cannot be read: then nothing of them may be shown. */
export function redactBody(bytes: Uint8Array, names: MadeUpNames): Uint8Array | null {
  const body = decodeAttributedBody(bytes);
  if (body === null) return null;
  const runs = body.runs.map((run): AttributedRun => {
    const { transferGuid, filename, mention, link } = run;
    return {
      ...run,
      transferGuid: transferGuid === null ? null : names.reference(transferGuid),
      filename: filename === null ? null : fillFilename(filename),
      mention: mention === null ? null : names.handle(mention),
      link: link === null ? null : fillLink(link),
    };
  });
  return encodeAttributedRuns(fillText(body.text), runs);
}

function fillLink(link: string): string {
  const [, scheme = '', rest = link] = /^(https?:\/\/|mailto:|tel:)?(.*)$/s.exec(link) ?? [];
  return scheme + fillText(rest);
}
