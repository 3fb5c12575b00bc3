/**
 * The frames of an mp3 file, found before anything is decoded: how long it lasts follows from them and not from what its
 * head claims, and the decoder gets whole frames and nothing else.
 */
import { AudioRefusal, CUT_SHORT, checkLength, DAMAGED, EMPTY, NOT_AUDIO } from './audio-refusal.ts';
import { nameAt, viewOf } from './byte-chunks.ts';

/** What may stand between frames that is none: recorders and taggers leave some. */
const JUNK_MAX_BYTES = 65_536;
const FRAME_HEAD_BYTES = 4;
const TAG_HEAD_BYTES = 10;
const OLD_TAG_BYTES = 128;
const APE_FOOTER_BYTES = 32;

/** In thousands of bits a second, from index 1 on. */
const RATES_OF_MPEG1 = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const RATES_OF_MPEG2 = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const SAMPLE_RATES = [44_100, 48_000, 32_000];

interface Frame {
  readonly byteLength: number;
  readonly sampleRate: number;
  readonly frames: number;
  readonly sideBytes: number;
}

export interface Mp3 {
  readonly sampleRate: number;
  /** Frames of sound, each of one sample a channel. */
  readonly frames: number;
  /** Where the pieces to decode begin and end. */
  readonly pieces: readonly (readonly [number, number])[];
}

export function isMp3(bytes: Uint8Array): boolean {
  return nameAt(bytes, 0).startsWith('ID3') || readFrame(bytes, 0) !== null;
}

export function readMp3(bytes: Uint8Array, lengthMaxMs: number): Mp3 {
  const end = endOfSound(bytes);
  const pieces: [number, number][] = [];
  let at = skipTags(bytes);
  let junk = 0;
  let first: Frame | null = null;
  let isLost = true;
  while (at + FRAME_HEAD_BYTES <= end) {
    const frame = readFrame(bytes, at);
    const isFrame = frame !== null && (first === null || isLike(frame, first));
    if (isFrame && (!isLost || isFollowed(bytes, at, frame, end))) {
      if (at + frame.byteLength > end) throw new AudioRefusal(CUT_SHORT);
      first ??= frame;
      isLost = false;
      pieces.push([at, at + frame.byteLength]);
      at += frame.byteLength;
      continue;
    }
    isLost = true;
    at += 1;
    junk += 1;
    if (junk > JUNK_MAX_BYTES) throw new AudioRefusal(first === null ? NOT_AUDIO : DAMAGED);
  }
  const [piece] = pieces;
  if (first === null || piece === undefined) throw new AudioRefusal(NOT_AUDIO);
  const declared = declaredFrames(bytes.subarray(...piece), first);
  const present = declared === null ? pieces.length : pieces.length - 1;
  if (present === 0) throw new AudioRefusal(EMPTY);
  if (declared !== null && declared > present) throw new AudioRefusal(CUT_SHORT);
  checkLength(present * first.frames, first.sampleRate, lengthMaxMs);
  // A head that counts fewer frames than there are would have the decoder leave the others out.
  const kept = declared === null || declared === present ? pieces : pieces.slice(1);
  return { sampleRate: first.sampleRate, frames: present * first.frames, pieces: kept };
}

function readFrame(bytes: Uint8Array, at: number): Frame | null {
  const [sync = 0, kind = 0, rates = 0, mode = 0] = bytes.subarray(at, at + FRAME_HEAD_BYTES);
  const version = (kind >> 3) & 3;
  const bitrateIndex = rates >> 4;
  const rateIndex = (rates >> 2) & 3;
  const isLayer3 = sync === 0xff && kind >> 5 === 7 && ((kind >> 1) & 3) === 1;
  if (!isLayer3 || version === 1 || bitrateIndex === 0 || bitrateIndex === 15 || rateIndex === 3) return null;
  const isMpeg1 = version === 3;
  const sampleRate = (SAMPLE_RATES[rateIndex] ?? 0) / (isMpeg1 ? 1 : version === 2 ? 2 : 4);
  const bitrate = ((isMpeg1 ? RATES_OF_MPEG1 : RATES_OF_MPEG2)[bitrateIndex - 1] ?? 0) * 1_000;
  const frames = isMpeg1 ? 1_152 : 576;
  const isMono = mode >> 6 === 3;
  return {
    byteLength: Math.floor((frames / 8) * (bitrate / sampleRate)) + ((rates >> 1) & 1),
    sampleRate,
    frames,
    sideBytes: isMpeg1 ? (isMono ? 17 : 32) : isMono ? 9 : 17,
  };
}

/** Bytes that look like one head are common; two heads at the right distance, or one and then the end, are not. */
function isFollowed(bytes: Uint8Array, at: number, frame: Frame, end: number): boolean {
  const next = at + frame.byteLength;
  if (next + FRAME_HEAD_BYTES > end) return next === end;
  const following = readFrame(bytes, next);
  return following !== null && isLike(following, frame);
}

function isLike(frame: Frame, first: Frame): boolean {
  return frame.sampleRate === first.sampleRate && frame.frames === first.frames;
}

/** The first frame may hold no sound and say how many others do; null where it is a frame like all others. */
function declaredFrames(frame: Uint8Array, { sideBytes }: Frame): number | null {
  const view = viewOf(frame);
  const at = FRAME_HEAD_BYTES + sideBytes;
  if (['Xing', 'Info'].includes(nameAt(frame, at)) && at + 12 <= frame.length) {
    const isCounted = (view.getUint32(at + 4, false) & 1) === 1;
    return isCounted ? view.getUint32(at + 8, false) : 0;
  }
  const vbri = FRAME_HEAD_BYTES + 32;
  return nameAt(frame, vbri) === 'VBRI' && vbri + 18 <= frame.length ? view.getUint32(vbri + 14, false) : null;
}

function skipTags(bytes: Uint8Array): number {
  let at = 0;
  while (nameAt(bytes, at).startsWith('ID3')) {
    if (at + TAG_HEAD_BYTES > bytes.length) throw new AudioRefusal(CUT_SHORT);
    const [flags = 0, ...sizes] = bytes.subarray(at + 5, at + TAG_HEAD_BYTES);
    const size = sizes.reduce((sum, byte) => sum * 128 + (byte & 127), 0);
    at += TAG_HEAD_BYTES + size + (flags & 16 ? TAG_HEAD_BYTES : 0);
    if (at > bytes.length) throw new AudioRefusal(CUT_SHORT);
  }
  return at;
}

/** Titles and covers may stand behind the last frame as well. */
function endOfSound(bytes: Uint8Array): number {
  let end = bytes.length;
  if (nameAt(bytes, end - OLD_TAG_BYTES).startsWith('TAG')) end -= OLD_TAG_BYTES;
  const footer = end - APE_FOOTER_BYTES;
  if (footer < 0 || nameAt(bytes, footer) !== 'APET' || nameAt(bytes, footer + 4) !== 'AGEX') return end;
  const size = viewOf(bytes).getUint32(footer + 12, true);
  const hasHead = (viewOf(bytes).getUint32(footer + 20, true) & 0x80000000) !== 0;
  return Math.max(0, end - size - (hasHead ? APE_FOOTER_BYTES : 0));
}
