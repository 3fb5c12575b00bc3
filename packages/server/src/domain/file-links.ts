/**
 * Links to files that need no key: whoever has one may read that file until it ends. The signature covers the file and
 * the end; the name in the path is for people. Pure: the key and the time are handed in, and the address is asked for
 * with each link, for a server on a free port learns its own late.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const END = /^[1-9]\d{0,15}$/;
const NAMELESS = 'file';

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
}

export function createFileLinks({ key, baseUrl, now }: FileLinksDeps): FileLinks {
  const sign = (fileId: string, expires: string) => createHmac('sha256', key).update(`${fileId}\n${expires}`).digest();
  return {
    url(fileId, filename, validMs) {
      const expires = String(now() + validMs);
      const name = encodeURIComponent((filename ?? NAMELESS).toWellFormed());
      const signature = sign(fileId, expires).toString('base64url');
      return `${baseUrl()}/files/${fileId}/${name}?expires=${expires}&signature=${signature}`;
    },
    validFor(fileId, expires, signature) {
      if (!END.test(expires)) return null;
      const wanted = sign(fileId, expires);
      const given = Buffer.from(signature, 'base64url');
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null;
      const left = Number(expires) - now();
      return left > 0 ? left : null;
    },
  };
}
