import { z } from 'zod';
import { type VoiceMemoDeps, voiceMemoOf } from '../../files/voice-memos.ts';
import { resolveLine } from '../../lines/resolve.ts';
import { repliedGuid, requireContact, requireFeature, requireFiles } from '../../outbox/preconditions.ts';
import { requirePairedContact, requirePhone } from '../../sandbox/view.ts';
import { lineField, nameField, recipientField } from '../input.ts';
import { type Route, route } from '../route.ts';
import { acceptSend } from './accept-send.ts';
import type { MessageDeps } from './messages.ts';
import { recipientOf } from './recipient.ts';

export function audioMessageRoutes(deps: MessageDeps & VoiceMemoDeps): Route[] {
  return [
    route({
      name: 'sendAudioMessage',
      summary: 'Sends a voice memo.',
      description:
        'The file may be m4a, mp3, wav, caf or aiff, by its content and not by its name. It is made into what a phone plays as a voice memo (CAF with Opus) before the answer, which takes a moment the first time.',
      answer: 'OutboxReceipt',
      refusals: [
        'line_not_found',
        'line_not_accessible',
        'file_not_found',
        'advanced_features_required',
        'sandbox_not_activated',
        'sandbox_contact_mismatch',
        'sandbox_quota_exceeded',
        'chat_not_found',
        'contact_has_not_messaged',
        'recipient_opted_out',
        'message_not_found',
      ],
      method: 'POST',
      path: '/v1/audio-messages',
      scope: 'messages:write',
      status: 201,
      body: z.object({
        from: lineField,
        to: recipientField,
        audio_message: nameField
          .regex(/^file_/, 'must be a file_ id')
          .describe('The id of an uploaded file that is sound: m4a, mp3, wav, caf or aiff.'),
        reply_to: nameField.optional().describe('The message of the same chat to reply to: its `msg_` id or its GUID.'),
      }),
      async handle({ caller, body, ticket }) {
        const to = recipientOf(body.to);
        const line = await resolveLine(deps.registry, caller, body.from);
        const { accountRef } = caller;
        const [file] = await requireFiles(deps.engine, accountRef, [body.audio_message], 'audio_message');
        if (!file) throw new Error('A file that is there was not found.');
        requireFeature(line, 'audio');
        const phone = await requirePhone(deps, accountRef, line);
        requirePairedContact(phone, to);
        const addressed = { accountRef, line, to };
        // Whoever is refused anyway need not wait for the sound.
        if (!phone) await requireContact(deps.engine, addressed, deps.mayBeCold(line, to));
        const guid = body.reply_to === undefined ? null : await repliedGuid(deps.engine, addressed, body.reply_to);
        const audio = await voiceMemoOf(deps, accountRef, file, 'audio_message');
        const details = { files: [audio], ...(guid !== null && { guid }) };
        const payload = { kind: 'audio_message' as const, ...body };
        return acceptSend(deps, { caller, ticket }, { line, to, payload, details });
      },
    }),
  ];
}
