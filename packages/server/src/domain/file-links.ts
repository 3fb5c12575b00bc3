/**
 * Links to files that need no key: whoever has one may read that file until it ends. The signature covers the file and
 * the end; the name in the path is for people. Pure: the key and the time are handed in, and the address is asked for
 * with each link, for a server on a free port learns its own late.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const END = /^[1-9]\d{0,15}$/;
const NAMELESS = 'file';
const FOLDER = '/files/';

export interface FileLinksDeps {
  readonly key: Uint8Array;
  /** The address that others reach the server under, without a slash at its end. */
  readonly baseUrl: () => string;
  readonly now: () => number;
}

export interface FileLinks {
  /** Absolute, and good for so many milliseconds. */
  url(fileId: string, filename: string | null, validMs: number): string;
  /** How long the link is good for, in milliseconds; null where it is over or was never made here. */
  validFor(fileId: string, expires: string, signature: string): number | null;
  /** The file that a URL is a link to, made here and not over; null of any other URL. */
  fileOf(url: string): string | null;
}

export function createFileLinks({ key, baseUrl, now }: FileLinksDeps): FileLinks {
  const sign = (fileId: string, expires: string) => createHmac('sha256', key).update(`${fileId}\n${expires}`).digest();
  const validFor: FileLinks['validFor'] = (fileId, expires, signature) => {
    if (!END.test(expires)) return null;
    const wanted = sign(fileId, expires);
    const given = Buffer.from(signature, 'base64url');
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null;
    const left = Number(expires) - now();
    return left > 0 ? left : null;
  };
  return {
    validFor,
    url(fileId, filename, validMs) {
      const expires = String(now() + validMs);
      const name = encodeURIComponent((filename ?? NAMELESS).toWellFormed());
      const signature = sign(fileId, expires).toString('base64url');
      return `${baseUrl()}${FOLDER}${fileId}/${name}?expires=${expires}&signature=${signature}`;
    },
    fileOf(url) {
      const given = URL.parse(url);
      const own = URL.parse(`${baseUrl()}${FOLDER}`);
      if (given === null || given.origin !== own?.origin || !given.pathname.startsWith(own.pathname)) return null;
      const [fileId = '', ...rest] = given.pathname.slice(own.pathname.length).split('/');
      const { searchParams: query } = given;
      const left = validFor(fileId, query.get('expires') ?? '', query.get('signature') ?? '');
      return left === null || rest.length !== 1 ? null : fileId;
    },
  };
}
