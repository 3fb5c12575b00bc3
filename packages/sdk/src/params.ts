/** What the client's methods take where it is not a request as `requests.ts` has it. */
import type { SendMessageParams, SendTypingParams } from './requests.ts';
import type { StreamedEventName } from './webhook-events.ts';

/** What `startTyping` and `stopTyping` take. */
export interface TypingParams extends Omit<SendTypingParams, 'state'> {}

export interface UploadFileParams {
  /** The bytes. What comes as a stream is sent as it comes, and not tried again. */
  file: UploadSource;
  /** What the recipient sees; by default the name that the file has. */
  filename?: string | undefined;
  /** By default the type that the file has, else `application/octet-stream`. */
  mimeType?: string | undefined;
}

/** A Node stream is an async iterable, a `Buffer` a `Uint8Array`. */
export type UploadSource = Blob | ArrayBuffer | Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

export interface ContactPhone {
  value: string;
  /** `cell` by default. */
  type?: string | undefined;
}

export interface ContactEmail {
  value: string;
  type?: string | undefined;
}

export interface ContactAddress {
  street?: string | undefined;
  city?: string | undefined;
  region?: string | undefined;
  postalCode?: string | undefined;
  country?: string | undefined;
  type?: string | undefined;
}

/** What a contact card says. */
export interface ContactCard {
  firstName: string;
  lastName: string;
  phones?: ContactPhone[] | undefined;
  emails?: ContactEmail[] | undefined;
  /** The organisation. */
  org?: string | undefined;
  /** The title or position. */
  title?: string | undefined;
  url?: string | undefined;
  address?: ContactAddress | undefined;
  /** `YYYY-MM-DD`. */
  bday?: string | undefined;
  note?: string | undefined;
}

export interface SendContactCardParams extends Pick<SendMessageParams, 'from' | 'to' | 'replyTo'>, ContactCard {
  /** A text that goes with the card. */
  text?: string | undefined;
  /** The id of an uploaded JPEG or PNG. Keep it small: it becomes part of the card. */
  photo?: string | undefined;
  /** Needed only where the photo's first bytes do not say what it is. */
  photoType?: 'JPEG' | 'PNG' | undefined;
  /** `<first>-<last>.vcf` by default. */
  filename?: string | undefined;
}

/** Names one thing by its id. */
export interface IdParams {
  id: string;
}

export interface EventsParams {
  /** Only this line's events. */
  from?: string | undefined;
  /** Only these. */
  events?: readonly StreamedEventName[] | undefined;
  /** Begins after this cursor instead of now. */
  after?: string | undefined;
  /** Ends the iteration. */
  signal?: AbortSignal | undefined;
}

export interface WaitForOutboxOptions {
  /** Milliseconds until a `TimeoutError`; 60,000 by default. */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Milliseconds between two looks; without it they grow from 200 to 2,000. */
  pollMs?: number | undefined;
}
