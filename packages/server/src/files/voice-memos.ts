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
export const VOICE_MEMO_FILENAME = 'Audio Message.caf';
const TRY_AGAIN_SECONDS = 5;

export interface VoiceMemoDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly blobs: Blobs;
  readonly transcoder: Transcoder;
}

/** What could be played may be sent as a voice memo; `why` completes the sentence "The 'audio_message' field …". */
export type VoiceMemo = { readonly audio: OutgoingFile } | { readonly audio: null; readonly why: string };

/** Throws `invalid_parameter_value` for what cannot be played, and `overloaded` where too much is being made just now. */
export async function voiceMemoOf(
  deps: VoiceMemoDeps,
  accountRef: number,
  file: OutgoingFile,
  param: string,
): Promise<OutgoingFile> {
  const memo = await findVoiceMemo(deps, accountRef, file);
  if (memo.audio) return memo.audio;
  throw new ApiError('invalid_parameter_value', { param, message: `The '${param}' field ${memo.why}.` });
}

/** Makes it where it is not there yet. Throws `overloaded` where too much is being made just now. */
export async function findVoiceMemo(deps: VoiceMemoDeps, accountRef: number, file: OutgoingFile): Promise<VoiceMemo> {
  const source = `voice memo of ${file.file}`;
  const made = await findFileOfSource(deps.engine, source);
  if (made) return { audio: { file: made.id, filename: made.filename, mimeType: made.mimeType, size: made.size } };
  const outcome = await makeVoiceMemo(deps, file);
  if (outcome.state === 'busy') throw new ApiError('overloaded', { retryAfter: TRY_AGAIN_SECONDS });
  if (outcome.state === 'refused') return { audio: null, why: outcome.why };
  const { id, size } = outcome;
  const memo = { filename: VOICE_MEMO_FILENAME, mimeType: AUDIO_MESSAGE_TYPE, size };
  const item = { id, accountRef, ...memo, contentType: AUDIO_MESSAGE_TYPE, source, now: deps.clock.now() };
  const kept = await deps.writer.write(createFiles, item);
  // Two who sent the same file at once made it twice.
  if (kept.isNew) await deps.blobs.keep(id);
  else await deps.blobs.delete(id);
  return { audio: { file: kept.id, ...memo } };
}

/** The bytes of a memo are safe under the id of a file that is to be; there is no row yet. */
export type MadeVoiceMemo =
  | { readonly state: 'made'; readonly id: string; readonly size: number }
  /** `why` completes the sentence "The 'audio_message' field …". */
  | { readonly state: 'refused'; readonly why: string }
  | { readonly state: 'busy' };

export async function makeVoiceMemo(
  { blobs, ids, transcoder }: Pick<VoiceMemoDeps, 'blobs' | 'ids' | 'transcoder'>,
  file: Pick<OutgoingFile, 'file' | 'size'>,
): Promise<MadeVoiceMemo> {
  if (file.size > TRANSCODER_LIMITS.inputMaxBytes) {
    return { state: 'refused', why: 'names a file that is too long for a voice memo' };
  }
  const stored = await blobs.open(file.file, null);
  if (!stored) throw new BlobsUnavailableError(new Error(`The bytes of ${file.file} are not there.`));
  const outcome = await transcoder.transcode(await buffer(stored));
  if (outcome.state !== 'transcoded') return outcome;
  const id = ids.make('file');
  const { size } = await blobs.put(id, Readable.from([outcome.bytes]), outcome.bytes.length);
  return { state: 'made', id, size };
}
