/**
 * The types: what users of a messages.dev client wrote compiles, and the schemas of the wire and the client's types say the
 * same. The checks are types; that this file compiles is `npm run check`.
 */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import {
  type Attachment,
  type CamelCaseKeys,
  type Chat,
  type ClientConfig,
  createClient,
  type DeletedResponse,
  type File,
  type Line,
  type ListMessagesParams,
  type Message,
  type MessageEventData,
  type MessageReceivedEvent,
  type MessagesClient,
  type OutboxItem,
  type PaginatedResponse,
  type Reaction,
  type ReactionAddedEvent,
  type ReactionEventData,
  type ReadReceipt,
  type SendAudioMessageParams,
  type SendContactCardParams,
  type TypingIndicator,
  verifyWebhook,
  type Webhook,
  type WebhookEvent,
  type WebhookEventDataFor,
  type WebhookEventName,
} from '../src/index.ts';
import * as schemas from '../src/schemas.ts';

type Parsed<Schema extends z.ZodType> = CamelCaseKeys<z.infer<Schema>>;

const SCHEMAS = [
  'AttachmentSchema',
  'ChatSchema',
  'DeletedResponseSchema',
  'ErrorResponseSchema',
  'FileSchema',
  'LineSchema',
  'ListResponseSchema',
  'MessageEventDataSchema',
  'MessageReceivedEventSchema',
  'MessageSchema',
  'MessageSentEventSchema',
  'OutboxItemSchema',
  'ReactionAddedEventSchema',
  'ReactionEventDataSchema',
  'ReactionRemovedEventSchema',
  'ReactionSchema',
  'ReadReceiptSchema',
  'TypingIndicatorSchema',
  'WebhookEventSchema',
  'WebhookSchema',
];
const METHODS =
  'activateSandbox createWebhook deactivateSandbox deleteWebhook events getChat getFileUrl getMessage getOutboxItem getSandbox listChats listLines listMessages listReactions listReadReceipts listTypingIndicators listWebhooks sendAudioMessage sendContactCard sendMessage sendReaction sendReadReceipt startTyping stopTyping uploadFile waitForOutbox'.split(
    ' ',
  );

describe('the types', () => {
  it('are those of the schemas, with the keys of the client', () => {
    expect(Object.keys(schemas).sort()).toEqual(SCHEMAS);
    expectTypeOf<Parsed<typeof schemas.LineSchema>>().toEqualTypeOf<Line>();
    expectTypeOf<Parsed<typeof schemas.ChatSchema>>().toEqualTypeOf<Chat>();
    expectTypeOf<Parsed<typeof schemas.AttachmentSchema>>().toEqualTypeOf<Attachment>();
    expectTypeOf<Parsed<typeof schemas.MessageSchema>>().toEqualTypeOf<Message>();
    expectTypeOf<Parsed<typeof schemas.ReactionSchema>>().toEqualTypeOf<Reaction>();
    expectTypeOf<Parsed<typeof schemas.TypingIndicatorSchema>>().toEqualTypeOf<TypingIndicator>();
    expectTypeOf<Parsed<typeof schemas.ReadReceiptSchema>>().toEqualTypeOf<ReadReceipt>();
    expectTypeOf<Parsed<typeof schemas.WebhookSchema>>().toEqualTypeOf<Webhook>();
    expectTypeOf<Parsed<typeof schemas.OutboxItemSchema>>().toEqualTypeOf<OutboxItem>();
    expectTypeOf<Parsed<typeof schemas.FileSchema>>().toEqualTypeOf<File>();
    expectTypeOf<Parsed<typeof schemas.DeletedResponseSchema>>().toEqualTypeOf<DeletedResponse>();
    expectTypeOf<Parsed<typeof schemas.MessageEventDataSchema>>().toEqualTypeOf<MessageEventData>();
    expectTypeOf<Parsed<typeof schemas.ReactionEventDataSchema>>().toEqualTypeOf<ReactionEventData>();
    expectTypeOf<Parsed<typeof schemas.MessageReceivedEventSchema>>().toEqualTypeOf<MessageReceivedEvent>();
    expectTypeOf<Parsed<typeof schemas.WebhookEventSchema>>().toEqualTypeOf<WebhookEvent>();
  });

  it('tell an event by its name', () => {
    const textOf = (event: WebhookEvent): string | null => {
      switch (event.event) {
        case 'message.received':
        case 'message.sent':
          return event.data.text;
        case 'reaction.added':
        case 'reaction.removed':
          return event.data.type;
        default:
          return event satisfies never;
      }
    };
    const deleted: WebhookEvent = JSON.parse('{"event": "reaction.removed", "data": {"type": "love"}}');
    expect(textOf(deleted)).toBe('love');
    expectTypeOf<WebhookEventDataFor<'reaction.added'>>().toEqualTypeOf<ReactionAddedEvent['data']>();
    expectTypeOf<WebhookEvent['event']>().toEqualTypeOf<WebhookEventName>();
  });

  it('take what was written for a messages.dev client', () => {
    const config: ClientConfig = {
      apiKey: 'sk_live_x',
      baseUrl: 'https://example.com',
      timeout: 30_000,
      maxRetries: 2,
    };
    const client: MessagesClient = createClient(config);
    const people = { from: '+15551234567', to: '+15559876543' };
    const card: SendContactCardParams = {
      ...people,
      firstName: 'Jane',
      lastName: 'Doe',
      phones: [{ type: 'cell', value: '+15559876543' }],
      emails: [{ value: 'jane@acme.com' }],
      org: 'Acme Corp',
      title: 'Head of Engineering',
      photo: 'file_1',
      photoType: 'PNG',
    };
    const audio: SendAudioMessageParams = { ...people, audioMessage: 'file_1', replyTo: 'msg_1' };
    const paging: ListMessagesParams = { ...people, limit: 10, cursor: 'x' };
    const calls = async (): Promise<[OutboxItem, PaginatedResponse<Message>, { url: string }]> => {
      await client.sendMessage({ ...people, text: 'Hello!', attachments: ['file_1'], replyTo: 'msg_1' });
      await client.sendAudioMessage(audio);
      await client.sendReaction({ ...people, messageId: 'msg_1', type: 'love' });
      await client.startTyping(people);
      await client.stopTyping(people);
      await client.sendReadReceipt(people);
      await client.uploadFile({ file: new Blob(['x']), filename: 'x.txt', mimeType: 'text/plain' });
      const webhook: Webhook = await client.createWebhook({
        from: people.from,
        url: 'https://example.com/hook',
        events: ['message.received'],
      });
      const deleted: DeletedResponse = await client.deleteWebhook({ id: webhook.id });
      const item: OutboxItem = await client.getOutboxItem({ id: deleted.id });
      for await (const reaction of await client.listReactions({ messageId: 'msg_1' }))
        expectTypeOf(reaction).toEqualTypeOf<Reaction>();
      for await (const typing of await client.listTypingIndicators(people)) expectTypeOf(typing.isTyping).toBeBoolean();
      for await (const read of await client.listReadReceipts(people)) expectTypeOf(read.lastReadAt).toBeNumber();
      await client.sendContactCard(card);
      return [item, await client.listMessages(paging), await client.getFileUrl({ id: 'file_1' })];
    };
    const handler = async (request: { body: string; headers: Record<string, string | string[] | undefined> }) => {
      const event = await verifyWebhook(request.body, request.headers['x-webhook-signature'], 'secret');
      if (event.event === 'message.received') expectTypeOf(event.data.sender).toBeString();
    };
    expect(Object.keys(client).sort()).toEqual(METHODS);
    expect([calls.length, handler.length]).toEqual([0, 1]);
  });
});

describe('the schemas', () => {
  it('read the examples of the contract', () => {
    const message = {
      id: 'msg_1',
      line_id: 'ln_1',
      line_handle: '+15551234567',
      chat_id: 'cht_1',
      guid: 'A-B',
      sender: '+15559876543',
      text: 'Hey!',
      attachments: [],
      service: 'imessage',
      is_from_me: false,
      is_audio_message: false,
      sent_at: 1_710_000_000_000,
      synced_at: 1_710_000_000_001,
      outbox_id: null,
      reply_to_guid: null,
    };
    const delivery = { event: 'message.received', data: message, timestamp: 1_710_000_000_123, delivery_id: 'dlv_1' };
    expect(schemas.WebhookEventSchema.parse(delivery)).toEqual(delivery);
    expect(() => schemas.WebhookEventSchema.parse({ ...delivery, event: 'typing.started' })).toThrow();
    const list = { data: [message], has_more: false, next_cursor: null, request_id: 'req_1' };
    expect(schemas.ListResponseSchema(schemas.MessageEventDataSchema).parse(list)).toEqual(list);
    expect(schemas.OutboxItemSchema.parse({ id: 'obx_1', status: 'pending', request_id: 'req_1' })).toBeTruthy();
    const error = { type: 'invalid_request_error', code: 'missing_required_parameter', message: 'The from field.' };
    expect(schemas.ErrorResponseSchema.parse({ error, request_id: 'req_1' })).toBeTruthy();
    const reaction = {
      id: 'rxn_1',
      message_id: 'msg_1',
      chat_id: 'cht_1',
      line_handle: '+15551234567',
      type: 'love',
      sender: '+15559876543',
      is_from_me: false,
      added: true,
      sent_at: 1_710_000_000_000,
      synced_at: 1_710_000_000_001,
    };
    for (const event of ['reaction.added', 'reaction.removed']) {
      expect(schemas.WebhookEventSchema.parse({ ...delivery, event, data: reaction }).data).toEqual(reaction);
    }
  });
});
