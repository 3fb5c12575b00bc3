/**
 * What becomes of each column of the message database in a record. A text without a rule is left out: a column that Apple
 * adds must not tell anything before somebody has looked at it.
 */
import { fillText } from './filler-text.ts';
import { fillFilename, fillPath, type MadeUpNames } from './made-up-names.ts';

type Rule = (text: string, names: MadeUpNames) => string | null;

const asHandle: Rule = (text, names) => names.handle(text);
const asIdentifier: Rule = (text, names) => names.identifier(text);
const asRooms: Rule = (text, names) =>
  text
    .split(',')
    .map((one) => names.identifier(one))
    .join(',');
const asGuid: Rule = (text, names) => names.guid(text);
const asReference: Rule = (text, names) => names.reference(text);
const asAccount: Rule = (text, names) => names.account(text);
const asFiller: Rule = (text) => fillText(text);
const asFilename: Rule = (text) => fillFilename(text);
const asPath: Rule = (text) => fillPath(text);
/** It stays where it is of this form, which tells nothing of anybody; else it is left out. */
const kept =
  (form: RegExp): Rule =>
  (text) =>
    form.test(text) ? text : null;
const asService = kept(/^(?:iMessage|SMS|RCS|iMessageLite|any)?$/);
const asAppleName = kept(/^(?:com\.apple|public|dyn)\.[\w.-]+$/);
/** Who made an app's message is left out, that an app made it is not. */
const asBalloon: Rule = (text) => /^com\.apple\.[\w.]+(?=:|$)/.exec(text)?.[0] ?? null;

export const COLUMN_RULES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  handle: { id: asHandle, service: asService, uncanonicalized_id: asHandle },
  chat: {
    guid: asReference,
    account_id: asGuid,
    chat_identifier: asIdentifier,
    service_name: asService,
    room_name: asIdentifier,
    account_login: asAccount,
    last_addressed_handle: asHandle,
    display_name: asFiller,
    group_id: asGuid,
    original_group_id: asGuid,
  },
  message: {
    guid: asGuid,
    text: asFiller,
    subject: asFiller,
    service: asService,
    account: asAccount,
    account_guid: asGuid,
    cache_roomnames: asRooms,
    group_title: asFiller,
    associated_message_guid: asReference,
    associated_message_emoji: asFiller,
    balloon_bundle_id: asBalloon,
    expressive_send_style_id: asAppleName,
    destination_caller_id: asHandle,
    reply_to_guid: asReference,
    thread_originator_guid: asGuid,
    thread_originator_part: kept(/^[\d:]*$/),
  },
  attachment: {
    guid: asReference,
    original_guid: asReference,
    filename: asPath,
    uti: asAppleName,
    mime_type: kept(/^(?:image|video|audio|text|application)\/[a-z0-9.+-]{1,40}$/),
    transfer_name: asFilename,
  },
  chat_message_join: {},
  chat_handle_join: {},
  message_attachment_join: {},
  chat_recoverable_message_join: {},
  deleted_messages: { guid: asGuid },
};

/** Points in time, which are moved all by the same. */
export function isMoment(column: string): boolean {
  return /(?:^|_)date(?:_|$)|timestamp$|^time_/.test(column);
}
