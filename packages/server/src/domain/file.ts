/** A file: what a client uploaded or a line brought. It belongs to an account and to none of its lines. */
export interface StoredFile {
  readonly ref: number;
  readonly id: string;
  readonly accountRef: number;
  /** Without path and control characters; null where none was given. */
  readonly filename: string | null;
  /** As it was claimed. What it is served as, and what counts as audio, goes by `contentType`. */
  readonly mimeType: string;
  /** As its first bytes show it; null where they show nothing that is known. */
  readonly contentType: string | null;
  readonly size: number;
  readonly createdAt: number;
}

/** How long a link in an answer or an event is good for. */
export const LINK_VALID_MS = 30 * 24 * 60 * 60_000;
/** How long one is that a client is sent on to at once. */
export const REDIRECT_VALID_MS = 60 * 60_000;

/** An id that could name a file: others need not be looked for. */
export function isFileId(text: string): boolean {
  return /^file_[0-9a-hjkmnp-tv-z]{26}$/.test(text);
}
