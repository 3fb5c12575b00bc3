/**
 * Files as voice memos: what the phone plays is made of a file once, kept beside it as a file of its own, and found
 * again when the same file is sent again.
 */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { OutgoingFile } from '@trunkline/drivers';
import type { Clock } from '../clock.ts';
import { ApiError } from '../domain/errors.ts';
import type { Ids } from '../domain/ids.ts';
import { AUDIO_MESSAGE_TYPE } from '../domain/message.ts';
import type { Engine } from '../store/database.ts';
import { createFiles, findFileOfSource } from '../store/files.ts';
import type { Writer } from '../store/writer.ts';
import { TRANSCODER_LIMITS, type Transcoder } from './audio/transcoder.ts';
import { type Blobs, BlobsUnavailableError } from './blobs.ts';

/** As iMessage calls it. */
const FILENAME = 'Audio Message.caf';
const TRY_AGAIN_SECONDS = 5;

export interface VoiceMemoDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly blobs: Blobs;
  readonly transcoder: Transcoder;
}

/** Throws `invalid_parameter_value` for what cannot be played, and `overloaded` where too much is being made just now. */
export async function voiceMemoOf(
  deps: VoiceMemoDeps,
  accountRef: number,
  file: OutgoingFile,
  param: string,
): Promise<OutgoingFile> {
  const source = `voice memo of ${file.file}`;
  const made = await findFileOfSource(deps.engine, source);
  if (made) return { file: made.id, filename: made.filename, mimeType: made.mimeType, size: made.size };
  const bytes = await transcode(deps, file, param);
  const id = deps.ids.make('file');
  const { size } = await deps.blobs.put(id, Readable.from([bytes]), bytes.length);
  const memo = { filename: FILENAME, mimeType: AUDIO_MESSAGE_TYPE, size };
  const item = { id, accountRef, ...memo, contentType: AUDIO_MESSAGE_TYPE, source, now: deps.clock.now() };
  const kept = await deps.writer.write(createFiles, item);
  // Two who sent the same file at once made it twice.
  if (kept.isNew) await deps.blobs.keep(id);
  else await deps.blobs.delete(id);
  return { file: kept.id, ...memo };
}

async function transcode({ blobs, transcoder }: VoiceMemoDeps, file: OutgoingFile, param: string): Promise<Uint8Array> {
  const refuse = (why: string) => {
    return new ApiError('invalid_parameter_value', { param, message: `The '${param}' field ${why}.` });
  };
  if (file.size > TRANSCODER_LIMITS.inputMaxBytes) throw refuse('names a file that is too long for a voice memo');
  const stored = await blobs.open(file.file, null);
  if (!stored) throw new BlobsUnavailableError(new Error(`The bytes of ${file.file} are not there.`));
  const outcome = await transcoder.transcode(await buffer(stored));
  if (outcome.state === 'refused') throw refuse(outcome.why);
  if (outcome.state === 'busy') throw new ApiError('overloaded', { retryAfter: TRY_AGAIN_SECONDS });
  return outcome.bytes;
}
