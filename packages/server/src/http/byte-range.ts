/** Which part of a file is asked for, and whether the client has it already: RFC 9110, with one range at a time. */
import type { IncomingHttpHeaders } from 'node:http';
import type { ByteRange } from '../files/blobs.ts';

/** `bytes=0-99`, `bytes=100-` or `bytes=-100`. */
const ONE_RANGE = /^bytes=\s*(\d*)-(\d*)\s*$/i;

export interface Validators {
  /** With its quotes. */
  readonly etag: string;
  /** As `Last-Modified` has it. */
  readonly lastModified: string;
}

/** Null: the whole file. `unsatisfiable`: there is no such part. Ranges that cannot be read, and several, are ignored. */
export function rangeOf(
  headers: IncomingHttpHeaders,
  size: number,
  validators: Validators,
): ByteRange | 'unsatisfiable' | null {
  const [, first = '', last = ''] = ONE_RANGE.exec(headers.range ?? '') ?? [];
  if (first === '' && last === '') return null;
  const condition = headers['if-range'];
  if (condition !== undefined && condition !== validators.etag && condition !== validators.lastModified) return null;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return null;
  return start < size ? { start, end } : 'unsatisfiable';
}

/** Whether the client's copy is the file: then nothing is sent. */
export function isNotModified(headers: IncomingHttpHeaders, { etag, lastModified }: Validators): boolean {
  const known = headers['if-none-match'];
  if (known === undefined) return headers['if-modified-since'] === lastModified;
  const tags = known.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
