/** What the client's methods take. `from` is a line's handle or `ln_` id, `to` a contact's handle or a `cht_` id. */
import type { ReactionType } from './resources.ts';
import type { ExtendedWebhookEventName, StreamedEventName, WebhookEventName } from './webhook-events.ts';

interface Conversation {
  /** The line: its handle or `ln_` id. */
  from: string;
  /** The contact's handle, or a `cht_` id for a group. */
  to: string;
}

interface PageParams {
  /** Items of a page, 1 to 100; 50 by default. */
  limit?: number | undefined;
  /** The `nextCursor` of the page before. */
  cursor?: string | undefined;
}

export interface SendMessageParams extends Conversation {
  /** At most 20,000 characters. Required unless there is an attachment. */
  text?: string | undefined;
  /** The id of one uploaded file. */
  attachments?: string[] | undefined;
  /** The id or GUID of a message in the same chat. */
  replyTo?: string | undefined;
}

export interface SendAudioMessageParams extends Conversation {
  /** The id of an uploaded m4a, mp3, wav, caf or aiff. */
  audioMessage: string;
  /** The id or GUID of a message in the same chat. */
  replyTo?: string | undefined;
}

export interface SendReactionParams extends Conversation {
  /** The id or GUID of the message. */
  messageId: string;
  type: ReactionType;
}

export interface TypingParams extends Conversation {}
export interface SendReadReceiptParams extends Conversation {}

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

export interface SendContactCardParams extends Conversation, ContactCard {
  /** A text that goes with the card. */
  text?: string | undefined;
  /** The id or GUID of a message in the same chat. */
  replyTo?: string | undefined;
  /** The id of an uploaded JPEG or PNG. Keep it small: it becomes part of the card. */
  photo?: string | undefined;
  /** Needed only where the photo's first bytes do not say what it is. */
  photoType?: 'JPEG' | 'PNG' | undefined;
  /** `<first>-<last>.vcf` by default. */
  filename?: string | undefined;
}

export interface ListChatsParams extends PageParams {
  /** The line: its handle or `ln_` id. */
  from: string;
}

export interface ListMessagesParams extends Conversation, PageParams {}

export interface ListReactionsParams {
  /** The id or GUID of the message. */
  messageId: string;
  /** Narrows a GUID to one line. */
  from?: string | undefined;
}

export interface ListTypingIndicatorsParams extends Conversation {}
export interface ListReadReceiptsParams extends Conversation {}

export interface ListWebhooksParams {
  /** The line: its handle or `ln_` id. */
  from: string;
}

export interface CreateWebhookParams {
  /** The line: its handle or `ln_` id. */
  from: string;
  /** Where the events go. */
  url: string;
  events: readonly (WebhookEventName | ExtendedWebhookEventName)[];
}

/** Names one thing by its id. */
export interface IdParams {
  id: string;
}

export interface GetMessageParams {
  /** A `msg_` id or a GUID. */
  id: string;
  /** Narrows a GUID to one line. */
  from?: string | undefined;
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
