/** A contact card is a file like any other: made here, uploaded, and sent as an attachment. */
import type { CallOptions, Connection } from './client-config.ts';
import { buildContactCard, type ContactPhoto, contactCardFilename, photoOf } from './contact-card.ts';
import { MessagesError } from './errors.ts';
import type { MessagesClient } from './messages-client.ts';
import type { SendContactCardParams } from './params.ts';
import type { OutboxItem } from './resources.ts';
import { withinTime } from './transport.ts';

/** What a card can carry and still be shown as one. */
const PHOTO_MAX_BYTES = 10 * 1024 * 1024;
const MIME_TYPE = 'text/vcard';

export type CardSender = Pick<MessagesClient, 'uploadFile' | 'sendMessage' | 'getFileUrl'> &
  Pick<Connection, 'fetch' | 'timeoutMs'>;

/** A key of the call serves both requests: the server counts keys for each path. */
export async function sendContactCard(
  sender: CardSender,
  params: SendContactCardParams,
  options: CallOptions = {},
): Promise<OutboxItem> {
  const { from, to, text, replyTo } = params;
  const photo = params.photo === undefined ? null : await readPhoto(sender, params.photo, params.photoType, options);
  const file = new TextEncoder().encode(buildContactCard(params, photo));
  const filename = params.filename ?? contactCardFilename(params);
  const { id } = await sender.uploadFile({ file, filename, mimeType: MIME_TYPE }, options);
  return sender.sendMessage({ from, to, text, attachments: [id], replyTo }, options);
}

/** The file's address is signed: the key does not go along. */
async function readPhoto(
  sender: CardSender,
  id: string,
  type: ContactPhoto['type'] | undefined,
  options: CallOptions,
): Promise<ContactPhoto> {
  const { url } = await sender.getFileUrl({ id }, options);
  return withinTime(options.timeout ?? sender.timeoutMs, options.signal, async (signal) => {
    const response = await sender.fetch(url, { signal });
    if (!response.ok) throw photoError(response.status, `The photo could not be read: ${response.status}.`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > PHOTO_MAX_BYTES) throw photoError(0, 'The photo is larger than 10 MB, which no card can carry.');
    return photoOf(bytes, type);
  });
}

function photoError(status: number, message: string): MessagesError {
  return new MessagesError({ status, type: 'invalid_request_error', code: 'unusable_photo', param: 'photo', message });
}
