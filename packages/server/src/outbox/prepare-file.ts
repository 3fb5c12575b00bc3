/** What a fetched file goes out as: sound that comes alone is a voice memo where the line can do that, all else a file. */
import type { LineDriver } from '@trunkline/drivers';
import type { Clock } from '../clock.ts';
import type { Ids } from '../domain/ids.ts';
import type { Line } from '../domain/line.ts';
import { AUDIO_MESSAGE_TYPE } from '../domain/message.ts';
import type { Transcoder } from '../files/audio/transcoder.ts';
import type { Blobs } from '../files/blobs.ts';
import { type FetchedFile, FetchStoppedError } from '../files/fetcher.ts';
import { pause } from '../files/pause.ts';
import { holdFile, type ReceivedFile } from '../files/received-file.ts';
import { makeVoiceMemo, VOICE_MEMO_FILENAME } from '../files/voice-memos.ts';
import type { Log } from '../log.ts';
import type { FetchingItem } from '../store/fetches.ts';

/** While other voice memos are being made, this one is tried again; then it goes out as a plain file. */
const MEMO_TRIES_MAX = 20;
const MEMO_RETRY_MS = 1_000;

export interface PrepareDeps {
  readonly blobs: Blobs;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly transcoder: Transcoder;
}

export interface Fetched {
  readonly item: FetchingItem;
  readonly line: Line;
  readonly driver: LineDriver;
  readonly fetched: FetchedFile;
  readonly signal: AbortSignal;
}

export interface Prepared {
  readonly kind: 'message' | 'audio_message';
  readonly file: ReceivedFile;
}

/** Throws `FetchStoppedError` where the signal was aborted meanwhile. */
export async function prepareFile(deps: PrepareDeps, work: Fetched): Promise<Prepared> {
  const { fetched, signal } = work;
  if (!mayBeVoiceMemo(work)) return { kind: 'message', file: fetched };
  for (let tries = 0; tries < MEMO_TRIES_MAX; tries++) {
    const memo = await makeVoiceMemo(deps, { file: fetched.id, size: fetched.size });
    if (memo.state === 'made') return { kind: 'audio_message', file: holdMemo(deps, memo, fetched.hash) };
    // What cannot be played as a voice memo is a file all the same.
    if (memo.state === 'refused') break;
    await pause(deps.clock, MEMO_RETRY_MS, signal);
    if (signal.aborted) throw new FetchStoppedError();
  }
  return { kind: 'message', file: fetched };
}

function mayBeVoiceMemo({ item, line, driver, fetched }: Fetched): boolean {
  const { text } = JSON.parse(item.payload) as { readonly text?: unknown };
  return isSoundAlone(text, fetched) && line.service !== 'sms' && driver.capabilities().audio;
}

/** What goes as a voice memo where the line can do that: sound, by its name or its content, with nothing said beside it. */
export function isSoundAlone(text: unknown, file: Pick<FetchedFile, 'contentType' | 'endsIn'>): boolean {
  if (typeof text === 'string' && text !== '') return false;
  return file.endsIn('.caf') || file.contentType?.startsWith('audio/') === true;
}

function holdMemo(deps: PrepareDeps, { id, size }: { id: string; size: number }, hash: string): ReceivedFile {
  const type = { mimeType: AUDIO_MESSAGE_TYPE, contentType: AUDIO_MESSAGE_TYPE };
  return holdFile(deps, { id, size, hash, filename: VOICE_MEMO_FILENAME, ...type });
}
