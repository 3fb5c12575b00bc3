/** Chunks of wav, aiff and caf: a name of four bytes, a length, a body. Nothing here trusts a length. */
import { AudioRefusal, DAMAGED } from './audio-refusal.ts';

/** Real files have a dozen; a file of nothing but empty chunks is not walked to its end. */
const CHUNKS_MAX = 10_000;

export interface Chunk {
  readonly name: string;
  readonly at: number;
  /** As the file says it: it may be more than there is. */
  readonly size: number;
}

export interface ChunkLayout {
  readonly headBytes: number;
  readonly isPadded: boolean;
  readonly readSize: (view: DataView, at: number) => number;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function nameAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

export function* walkChunks(bytes: Uint8Array, start: number, layout: ChunkLayout): Generator<Chunk> {
  const view = viewOf(bytes);
  let at = start;
  for (let count = 0; at + layout.headBytes <= bytes.length; count += 1) {
    if (count === CHUNKS_MAX) throw new AudioRefusal(DAMAGED);
    const size = layout.readSize(view, at + 4);
    yield { name: nameAt(bytes, at), at: at + layout.headBytes, size };
    at += layout.headBytes + size + (layout.isPadded ? size % 2 : 0);
  }
}
