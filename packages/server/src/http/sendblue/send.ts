/** Sending in the manner of Sendblue: the same outbox as every send, and the whole message for an answer. */
import type { SendStyle } from '@trunkline/drivers';
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import type { Ids } from '../../domain/ids.ts';
import type { Line } from '../../domain/line.ts';
import { handleOf as handleOfId, type ListedItem } from '../../domain/listed-item.ts';
import { resolveLine } from '../../lines/resolve.ts';
import type { Details } from '../../outbox/command.ts';
import { type EnqueueDeps, enqueue } from '../../outbox/enqueue.ts';
import { type NamedMediaDeps, type SettledMedia, settleMedia } from '../../outbox/named-media.ts';
import { type Addressed, effectFor, repliedGuid } from '../../outbox/preconditions.ts';
import { requirePairedContact, requirePhone } from '../../sandbox/view.ts';
import type { Recipient } from '../../store/outbox.ts';
import { ensureCallback } from '../../webhooks/callbacks.ts';
import { sentBody } from '../../wire/sendblue.ts';
import type { LinkFile } from '../../wire/v1.ts';
import { invalidValue, sendStyleField, TEXT_MAX, textField } from '../input.ts';
import { type Call, type Route, route } from '../route.ts';
import { fromNumberField, handleField, handleOf, numberField } from './fields.ts';
import { requireItem, type ShownDeps } from './shown.ts';

export interface SendblueSendDeps extends ShownDeps, EnqueueDeps, NamedMediaDeps {
  readonly ids: Ids;
  readonly linkFile: LinkFile;
}

const PART_MAX = 1_000;
const URL_MAX = 2_048;

const partField = z.coerce
  .number()
  .int()
  .min(0)
  .max(PART_MAX)
  .optional()
  .describe('Which part of it, from 0. Left out: 0.');

const replyField = z
  .object({ message_handle: handleField, part_index: partField })
  .optional()
  .describe('The message of the same chat to reply to, and which part of it.');

/** Checked for its length where it is checked for all else. */
const mediaUrlField = textField(TEXT_MAX)
  .optional()
  .describe('Where a file is, which the server fetches and sends. Required unless there is `content`.');

const unsupported = (name: string) =>
  z
    .unknown()
    .refine((value) => value === undefined || value === null || value === '', `there is no ${name} on this server`)
    .optional()
    .describe('Not supported, and refused.');

/** What every message has, whoever it goes to. */
export const messageFields = {
  from_number: fromNumberField,
  content: textField(TEXT_MAX).optional().describe('What it says. Required unless there is a `media_url`.'),
  media_url: mediaUrlField,
  send_style: sendStyleField.describe('The effect to send it with; on a line that has none it goes without.'),
  status_callback: textField(URL_MAX).optional().describe('Is told of every change of the status, by a POST.'),
  reply_to: replyField,
  seat_id: unsupported('seat'),
  app_card: unsupported('app card'),
};
type MessageBody = z.infer<z.ZodObject<typeof messageFields>>;

/** The fields of which a message needs one. */
export const CONTENTS = ['content', 'media_url'] as const;
/** Those that have to do with whom it goes to, and with what it answers. */
export const SEND_REFUSALS = [
  'line_not_found',
  'line_not_accessible',
  'sandbox_not_activated',
  'sandbox_contact_mismatch',
  'sandbox_quota_exceeded',
  'contact_has_not_messaged',
  'recipient_opted_out',
  'message_not_found',
] as const;

export function sendblueSendRoutes(deps: SendblueSendDeps): Route[] {
  return [
    route({
      name: 'sendblueSendMessage',
      summary: 'Sends a message to one recipient.',
      description:
        'The 202 means that it is on disk. Follow it by `status_callback`, by a webhook, or by `GET /api/status`. The same request with `x-stainless-retry-count` above 0 is given the first answer for two minutes, and sent once.',
      answer: 'SendblueMessage',
      refusals: SEND_REFUSALS,
      method: 'POST',
      path: '/api/send-message',
      scope: 'messages:write',
      status: 202,
      body: z.object({ number: numberField, ...messageFields }),
      anyOf: CONTENTS,
      async handle({ caller, body, ticket }) {
        const handle = handleOf(body.number, 'number');
        const line = await resolveLine(deps.registry, caller, body.from_number, 'from_number');
        const whom = { line, to: { kind: 'handle', handle }, name: body.number, peer: handle, group: null } as const;
        return acceptMessage(deps, { caller, ticket }, whom, body);
      },
    }),
  ];
}

/** Whom a message goes to. */
interface Whom {
  readonly line: Line;
  readonly to: Recipient;
  /** As the request has it. */
  readonly name: string;
  /** Empty for a group. */
  readonly peer: string;
  readonly group: ListedItem['group'];
}

/** Gives the whole message as it was accepted. Throws the refusal that applies. */
export async function acceptMessage(
  deps: SendblueSendDeps,
  { caller, ticket }: Pick<Call<unknown, unknown>, 'caller' | 'ticket'>,
  whom: Whom,
  body: MessageBody,
): Promise<Readonly<Record<string, unknown>>> {
  const { line, to } = whom;
  const { accountRef } = caller;
  requirePairedContact(await requirePhone(deps, accountRef, line), to);
  const replied = body.reply_to && (await requireSent(deps, caller, body.reply_to.message_handle));
  const addressed = { accountRef, line, to };
  const callback = await callbackOf(deps, caller, body.status_callback);
  const settled = await detailsOf(deps, addressed, body.send_style, replied);
  const media = await mediaOf(deps, addressed, body);
  const details = { ...settled, ...media.details, ...(callback !== null && { callback }) };
  const id = deps.ids.make('outbox');
  const now = deps.clock.now();
  const answer = sentBody(acceptedItem({ id, caller, whom, body, details, replied, now }), deps.linkFile);
  const payload = { kind: media.kind, ...payloadOf(whom, body) };
  await enqueue(deps, { id, accountRef, line, to, payload, details, now, ticket: ticket(answer) });
  return answer;
}

async function mediaOf(deps: SendblueSendDeps, addressed: Addressed, body: MessageBody): Promise<SettledMedia> {
  const { media_url: url, content: text } = body;
  if (url === undefined) return { kind: 'message', details: {} };
  return settleMedia(deps, { ...addressed, url, text, param: 'media_url' });
}

/** In the words in which every item of the outbox keeps its request. */
function payloadOf({ name: to }: Whom, body: MessageBody) {
  const { from_number: from, content: text, media_url: media, reply_to: reply, send_style: style } = body;
  return {
    from,
    to,
    ...(text !== undefined && { text }),
    ...(media !== undefined && { media_url: media }),
    ...(style !== undefined && { send_style: style }),
    ...(body.status_callback !== undefined && { status_callback: body.status_callback }),
    ...(reply && { reply_to: reply.message_handle, reply_part: reply.part_index ?? 0 }),
  };
}

/** The message that is replied to, which has to be on the line already. */
async function requireSent(deps: ShownDeps, caller: Caller, name: string): Promise<SentItem> {
  const item = await requireItem(deps, caller, name, 'reply_to');
  if (item.messageId === null) throw invalidValue('reply_to', 'is a message that has not been sent yet');
  return { handle: item.handle, messageId: item.messageId };
}

interface SentItem {
  readonly handle: string;
  readonly messageId: string;
}

/** Checked as a webhook's address is; its receiver is there before the first word goes to it. */
async function callbackOf(deps: SendblueSendDeps, caller: Caller, url: string | undefined): Promise<string | null> {
  if (url === undefined) return null;
  const refusal = await deps.guard.refuseUrl(url);
  if (refusal !== null) throw invalidValue('status_callback', refusal);
  await ensureCallback(deps, caller.accountRef, url);
  return url;
}

async function detailsOf(
  { engine }: SendblueSendDeps,
  addressed: Addressed,
  style: SendStyle | undefined,
  replied: SentItem | undefined,
): Promise<Details> {
  const effect = effectFor(addressed.line, style);
  const guid = replied && (await repliedGuid(engine, addressed, replied.messageId));
  return { ...(effect !== null && { effect }), ...(guid && { guid }) };
}

interface Acceptance {
  readonly id: string;
  readonly caller: Caller;
  readonly whom: Whom;
  readonly body: MessageBody;
  readonly details: Details;
  readonly replied: SentItem | undefined;
  readonly now: number;
}

/** The item as a list will show it first. */
function acceptedItem({ id, caller, whom, body, details, replied, now }: Acceptance): ListedItem {
  const { line, peer, group } = whom;
  const part = body.reply_to?.part_index ?? 0;
  return {
    ref: 0,
    handle: handleOfId(id),
    accountRef: caller.accountRef,
    accountEmail: caller.accountEmail,
    lineRef: line.ref,
    lineHandle: line.handle,
    isOutbound: true,
    status: 'QUEUED',
    service: line.service === 'sms' ? 'sms' : 'imessage',
    wasDowngraded: null,
    peer,
    hasOptedOut: false,
    group,
    chatRef: null,
    outboxRef: null,
    messageRef: null,
    messageId: null,
    text: body.content ?? null,
    media: body.media_url === undefined ? null : { url: body.media_url },
    sendStyle: details.effect ?? null,
    repliesTo: replied && details.guid !== undefined ? { handle: replied.handle, part } : null,
    error: null,
    callbackUrl: details.callback ?? null,
    createdAt: now,
    updatedAt: now,
  };
}
