/** `/simulator/v1`: the phones' side of simulated lines, for tests and for the browser. */
import type { PhoneMessage, PhoneText } from '@trunkline/drivers';
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import type { Line } from '../../domain/line.ts';
import { AUDIO_MESSAGE_TYPE } from '../../domain/message.ts';
import { codeIn } from '../../domain/sandbox.ts';
import { createHeard, type Heard } from '../../lines/heard.ts';
import { effectFor, requireFiles } from '../../outbox/preconditions.ts';
import { findChatIds } from '../../store/chat-pages.ts';
import { findOwnGuids } from '../../store/messages.ts';
import type { LinkFile } from '../../wire/v1.ts';
import { attachmentBody } from '../../wire/v1.ts';
import { invalidValue, limitField, lineField, nameField, sendStyleField, TEXT_MAX, textField } from '../input.ts';
import { openCursor, sealCursor } from '../page-cursor.ts';
import { list, type Route, route } from '../route.ts';
import { actRoutes } from './acts.ts';
import {
  addressed,
  addressedField,
  chatIdOf,
  guidOf,
  handleOf,
  phoneField,
  type SimulatorDeps,
  shownLines,
  simulatedLine,
} from './named.ts';

/** How long a 201 waits. A line that is offline hears of it later. */
const HEARD_WITHIN_MS = 5_000;
const PARTICIPANTS_MAX = 32;
const PHONE_PAGE_MAX = 1_000;
const ATTACHMENTS_MAX = 10;

/** How much later a voice memo's transcription may come. */
const TRANSCRIBED_WITHIN_MS = 600_000;

const fileField = nameField.regex(/^file_/, 'must be a file_ id');
const textBody = z.object({
  from: phoneField,
  to: addressedField,
  text: textField(TEXT_MAX).optional().describe('What it says.'),
  attachments: z
    .array(fileField)
    .max(ATTACHMENTS_MAX, `takes ${ATTACHMENTS_MAX} files at most`)
    .optional()
    .describe('The ids of uploaded files.'),
  audio: fileField.optional().describe('The id of an uploaded file that is a voice memo, and the whole message.'),
  transcription: textField(TEXT_MAX).optional().describe('What the line makes out of the voice memo.'),
  transcription_after_ms: z
    .number()
    .int()
    .min(0)
    .max(TRANSCRIBED_WITHIN_MS)
    .optional()
    .describe('So much later, in milliseconds. Left out: at once.'),
  reply_to: nameField.optional().describe('The message to reply to: its `msg_` id or its GUID.'),
  effect: sendStyleField.describe('The effect to send it with. To a line that has none it goes without.'),
});

const rate = z.number().min(0).max(1).optional();
const milliseconds = z.number().int().min(0).max(600_000).optional();

export function simulatorRoutes(deps: SimulatorDeps): Route[] {
  const heard = createHeard(deps.engine, deps.clock);
  return [
    textRoute(deps, heard),
    groupRoute(deps, heard),
    phoneMessagesRoute(deps),
    ...actRoutes(deps, heard),
    ...faultRoutes(deps),
    route({
      name: 'setAutoreply',
      summary: 'Lets a phone answer whoever writes to it.',
      description: 'With neither `text` nor `echo` it answers no more.',
      answer: 'Autoreply',
      method: 'POST',
      path: '/simulator/v1/autoreply',
      scope: 'simulator:write',
      status: 201,
      body: z.object({
        phone: phoneField,
        text: textField(TEXT_MAX).optional().describe('What it answers.'),
        echo: z.boolean().optional().describe('Whether it says back what it was told.'),
      }),
      async handle({ body }) {
        const phone = handleOf('phone', body.phone);
        const isOn = body.text !== undefined || body.echo === true;
        const autoreply = { text: body.text ?? null, echo: body.echo ?? false };
        await deps.network.setAutoreply(phone, isOn ? autoreply : null);
        return { phone, text: body.text ?? null, echo: body.echo ?? false };
      },
    }),
  ];
}

function textRoute(deps: SimulatorDeps, heard: Heard): Route {
  return route({
    name: 'textFromPhone',
    summary: 'Lets a phone text a line or a group.',
    description: 'Answers when the line has heard of it, or after 5 seconds.',
    answer: 'PhoneText',
    refusals: ['line_not_found', 'chat_not_found', 'file_not_found', 'message_not_found'],
    method: 'POST',
    path: '/simulator/v1/messages',
    scope: 'simulator:write',
    status: 201,
    body: textBody,
    // A message without text and without attachments is none.
    anyOf: ['text', 'attachments', 'audio'],
    async handle({ caller, body }) {
      const from = handleOf('from', body.from);
      const { line, group } = await addressed(deps, caller, { from, to: body.to, isPairing: isPairing(body) });
      const content = await contentOf(deps, caller, line, body);
      const texted = await deps.network.text({ from, to: group ?? line.handle, ...content });
      if (!texted) throw invalidValue('from', 'must be one of the group');
      await heard.wait(line.ref, texted.seq, HEARD_WITHIN_MS);
      return { guid: texted.guid, chat_id: await chatIdOf(deps, caller, line, group ?? from) };
    },
  });
}

/** A text that looks like a code may pair its phone, whoever's key sends it. */
function isPairing({ text, audio, attachments, reply_to: replyTo }: z.infer<typeof textBody>): boolean {
  const isPlain = audio === undefined && attachments === undefined && replyTo === undefined;
  return isPlain && codeIn(text ?? null) !== null;
}

/** A voice memo is nothing but its sound; what the line makes out of it may come later. */
async function contentOf(
  deps: SimulatorDeps,
  caller: Caller,
  line: Line,
  body: z.infer<typeof textBody>,
): Promise<Pick<PhoneText, 'text' | 'transcribed'>> {
  const { audio, transcription, transcription_after_ms: afterMs } = body;
  const ids = audio === undefined ? (body.attachments ?? []) : [audio];
  const param = audio === undefined ? 'attachments' : 'audio';
  const files = await requireFiles(deps.engine, caller.accountRef, ids, param);
  const isLater = audio !== undefined && transcription !== undefined && afterMs !== undefined;
  const known = audio === undefined || isLater ? null : (transcription ?? null);
  const text = {
    text: audio === undefined ? (body.text ?? '') : '',
    attachments: files.map((file) => ({
      ...file,
      mimeType: audio === undefined ? file.mimeType : AUDIO_MESSAGE_TYPE,
      transcription: known,
    })),
    isAudio: audio !== undefined,
    replyToGuid: body.reply_to === undefined ? null : await guidOf(deps, caller, body.reply_to, 'reply_to'),
    effect: audio === undefined ? effectFor(line, body.effect) : null,
  };
  return isLater ? { text, transcribed: { transcription, afterMs } } : { text };
}

function groupRoute(deps: SimulatorDeps, heard: Heard): Route {
  return route({
    name: 'createPhoneGroup',
    summary: 'Lets a phone make a group with a line.',
    answer: 'PhoneGroup',
    refusals: ['line_not_found'],
    method: 'POST',
    path: '/simulator/v1/groups',
    scope: 'simulator:write',
    status: 201,
    body: z.object({
      line: lineField,
      participants: z
        .array(nameField)
        .min(1)
        .max(PARTICIPANTS_MAX)
        .describe('The handles of its phones, the line not among them.'),
      name: nameField.optional().describe('What to call it. Left out: it has no name.'),
    }),
    async handle({ caller, body }) {
      const line = await simulatedLine(deps, caller, body.line, 'line');
      const participants = [...new Set(body.participants.map((one) => handleOf('participants', one)))];
      if (participants.includes(line.handle)) throw invalidValue('participants', 'must not name the line itself');
      const group = await deps.network.createGroup({ line: line.handle, participants, name: body.name ?? null });
      await heard.wait(line.ref, group.seq, HEARD_WITHIN_MS);
      return { chat_id: await chatIdOf(deps, caller, line, group.identifier) };
    },
  });
}

function phoneMessagesRoute(deps: SimulatorDeps): Route {
  return route({
    name: 'listPhoneMessages',
    summary: 'Shows what a phone shows, the oldest first.',
    answer: 'PhoneMessage[]',
    refusals: ['line_not_found'],
    method: 'GET',
    path: '/simulator/v1/phones/:handle/messages',
    params: { handle: "The phone's handle." },
    scope: 'simulator:write',
    query: z.object({
      line: lineField.optional(),
      limit: limitField(PHONE_PAGE_MAX, PHONE_PAGE_MAX),
      cursor: textField(1_000).optional().describe('The `next_cursor` of the page before. Left out: the first page.'),
    }),
    async handle({ caller, params, query }) {
      const phone = handleOf('handle', params['handle'] ?? '');
      const lines = await shownLines(deps, caller, phone, query.line);
      const name = `phone ${caller.accountRef} ${phone} ${query.line === undefined ? '' : lines.map((line) => line.id)}`;
      const after = query.cursor === undefined ? {} : { cursor: openCursor(name, query.cursor) };
      const page = await deps.network.phoneMessages({
        phone,
        limit: query.limit,
        // A phone may talk with lines of other accounts: those are not shown.
        lines: lines.map((line) => line.handle),
        ...after,
      });
      if (!page) throw invalidValue('cursor', 'is not a cursor of this list');
      const messages = await leavePaired(deps, caller, lines, page.messages);
      const chatIds = await findChatIds(deps.engine, caller.accountRef, lines, messages);
      return list(
        messages.map((message) => phoneMessageBody(message, chatIds.get(message.guid) ?? null, deps.linkFile)),
        page.nextCursor === null ? null : sealCursor(name, page.nextCursor),
      );
    },
  });
}

function faultRoutes(deps: SimulatorDeps): Route[] {
  const line = lineField;
  return [
    route({
      name: 'setFaults',
      summary: 'Makes a line slow, lossy or offline.',
      description: 'What is not named is no fault any more.',
      answer: 'Faults',
      refusals: ['line_not_found'],
      method: 'POST',
      path: '/simulator/v1/faults',
      scope: 'simulator:write',
      status: 201,
      body: z.object({
        line,
        latency_ms: milliseconds.describe('How long a hand-over takes to be answered, and a message to be delivered.'),
        jitter_ms: milliseconds.describe('Up to so much more, at random.'),
        fail_rate: rate.describe('How many sends fail for good, 0 to 1.'),
        drop_echo_rate: rate.describe('How many sends go out without the line ever saying so, 0 to 1.'),
        duplicate_rate: rate.describe('How many reports come twice, 0 to 1.'),
        reorder: z.boolean().optional().describe('Whether neighbours of different chats change places.'),
        offline: z.boolean().optional().describe('Whether the line cannot be reached.'),
      }),
      async handle({ caller, body }) {
        const target = await simulatedLine(deps, caller, body.line, 'line');
        const { line: _line, ...faults } = body;
        await deps.network.setFaults(target.handle, {
          latencyMs: faults.latency_ms ?? 0,
          jitterMs: faults.jitter_ms ?? 0,
          failRate: faults.fail_rate ?? 0,
          dropEchoRate: faults.drop_echo_rate ?? 0,
          duplicateRate: faults.duplicate_rate ?? 0,
          reorder: faults.reorder ?? false,
          offline: faults.offline ?? false,
        });
        return { line: target.handle, ...faults };
      },
    }),
    route({
      name: 'clearFaults',
      summary: 'Takes all faults from a line.',
      answer: 'FaultsCleared',
      refusals: ['line_not_found'],
      method: 'DELETE',
      path: '/simulator/v1/faults',
      scope: 'simulator:write',
      body: z.object({ line }),
      async handle({ caller, body }) {
        const target = await simulatedLine(deps, caller, body.line, 'line');
        await deps.network.clearFaults(target.handle);
        return { line: target.handle, cleared: true };
      },
    }),
  ];
}

/** The line that all share does not know whose a message is; the server does. */
async function leavePaired(
  { engine }: SimulatorDeps,
  { accountRef }: Caller,
  lines: readonly Line[],
  messages: readonly PhoneMessage[],
): Promise<readonly PhoneMessage[]> {
  const shared = lines.find(({ isSandbox }) => isSandbox);
  if (!shared) return messages;
  const guids = messages.flatMap(({ guid, line }) => (line === shared.handle ? [guid] : []));
  const own = await findOwnGuids(engine, accountRef, shared.ref, guids);
  return messages.filter(({ guid, line }) => line !== shared.handle || own.has(guid));
}

function phoneMessageBody(message: PhoneMessage, chatId: string | null, link: LinkFile) {
  return {
    guid: message.guid,
    chat_id: chatId,
    line: message.line,
    from_me: message.fromMe,
    sender: message.sender,
    text: message.text,
    attachments: message.attachments.map(({ file, ...one }) =>
      attachmentBody({ ...one, file: file === null ? null : { id: file, filename: one.filename } }, link),
    ),
    is_audio_message: message.isAudioMessage,
    reply_to_guid: message.replyToGuid,
    effect: message.effect,
    reactions: message.reactions.map(({ type, sender, at }) => ({ type, sender, sent_at: at })),
    state: message.state,
    edited: message.edited,
    unsent: message.unsent,
    sent_at: message.sentAt,
  };
}
