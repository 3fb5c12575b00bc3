/**
 * The client's types are those of the server's own schemas, with the keys of the client: a field that is added, renamed or
 * made nullable there does not compile here. What the server answers is what the schemas of the SDK read, key by key.
 */
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import { WEBHOOK_EVENTS } from '../../server/src/domain/events.ts';
import type { EVENT_DATA } from '../../server/src/wire/event-schemas.ts';
import type * as wire from '../../server/src/wire/v1-schemas.ts';
import type {
  Attachment,
  CamelCaseKeys,
  Chat,
  DeletedResponse,
  File,
  Line,
  Message,
  OutboxItem,
  Reaction,
  ReadReceipt,
  SandboxState,
  StoredOutboxItem,
  StreamedEvent,
  TypingIndicator,
  Webhook,
} from '../src/index.ts';
import { EXTENDED_WEBHOOK_EVENT_NAMES, WEBHOOK_EVENT_NAMES } from '../src/index.ts';
import {
  ChatSchema,
  DeletedResponseSchema,
  ErrorResponseSchema,
  LineSchema,
  ListResponseSchema,
  MessageSchema,
  OutboxItemSchema,
  WebhookSchema,
} from '../src/schemas.ts';
import { KEY, LINE, PHONE, type RealServer, startRealServer } from './real-server.ts';

type OnWire<Name extends keyof typeof wire> = (typeof wire)[Name] extends z.ZodType
  ? CamelCaseKeys<z.infer<(typeof wire)[Name]>>
  : never;
type OnStream<Name extends keyof typeof EVENT_DATA> = CamelCaseKeys<z.infer<(typeof EVENT_DATA)[Name]>>;
type DataOf<Name extends StreamedEvent['event']> = Omit<Extract<StreamedEvent, { event: Name }>['data'], 'requestId'>;
/** Every answer has it, a resource within another does not. */
type Bare<T> = Omit<T, 'requestId'>;

it('the names of the events are those that the server has for webhooks', () => {
  expect([...WEBHOOK_EVENT_NAMES, ...EXTENDED_WEBHOOK_EVENT_NAMES].sort()).toEqual([...WEBHOOK_EVENTS].sort());
});

describe('an answer of the real server', () => {
  let server: RealServer;
  beforeAll(async () => {
    server = await startRealServer();
  });
  afterAll(() => server.remove());

  const ask = async (path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<unknown> => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return (await fetch(`${server.url}${path}`, init)).json();
  };

  it('has the keys of the schemas and no others', async () => {
    const people = `from=${encodeURIComponent(LINE)}&to=${encodeURIComponent(PHONE)}`;
    const receipt = OutboxItemSchema.parse(await ask('/v1/messages', { from: LINE, to: PHONE, text: 'Hello' }));
    const hook = { from: LINE, url: `${server.url}/hook`, events: ['message.sent'] };
    const webhook = WebhookSchema.parse(await ask('/v1/webhooks', hook));
    const answers: [z.ZodType, unknown][] = [
      [ListResponseSchema(LineSchema), await ask('/v1/lines')],
      [ListResponseSchema(ChatSchema), await ask(`/v1/chats?${people}`)],
      [ListResponseSchema(MessageSchema), await ask(`/v1/messages?${people}`)],
      [ListResponseSchema(WebhookSchema), await ask(`/v1/webhooks?${people}`)],
      [OutboxItemSchema, await ask('/v1/messages', { from: LINE, to: PHONE, text: 'Hello again' })],
      [OutboxItemSchema, await ask(`/v1/outbox?id=${receipt.id}`)],
      [WebhookSchema, await ask('/v1/webhooks', hook)],
      [DeletedResponseSchema, await ask('/v1/webhooks', { id: webhook.id }, 'DELETE')],
      [ErrorResponseSchema, await ask('/v1/outbox')],
      [ErrorResponseSchema, await ask('/v1/nowhere')],
    ];
    for (const [schema, answer] of answers) expect(schema.parse(answer)).toEqual(answer);

    // And those that no route gives yet, with the others: this is for the compiler.
    expectTypeOf<OnWire<'lineSchema'>>().toEqualTypeOf<Line>();
    expectTypeOf<OnWire<'chatSchema'>>().toEqualTypeOf<Bare<Chat>>();
    expectTypeOf<OnWire<'attachmentSchema'>>().toEqualTypeOf<Attachment>();
    expectTypeOf<OnWire<'messageSchema'>>().toEqualTypeOf<Bare<Message>>();
    expectTypeOf<OnWire<'reactionSchema'>>().toEqualTypeOf<Reaction>();
    expectTypeOf<OnWire<'typingIndicatorSchema'>>().toEqualTypeOf<TypingIndicator>();
    expectTypeOf<OnWire<'readReceiptSchema'>>().toEqualTypeOf<ReadReceipt>();
    expectTypeOf<OnWire<'fileSchema'>>().toEqualTypeOf<Bare<File>>();
    expectTypeOf<OnWire<'sandboxStateSchema'>>().toEqualTypeOf<Bare<SandboxState>>();
    expectTypeOf<OnWire<'deletedSchema'>>().toEqualTypeOf<Bare<DeletedResponse>>();
    expectTypeOf<OnWire<'outboxReceiptSchema'>>().toExtend<Bare<OutboxItem>>();
    expectTypeOf<Omit<OnWire<'outboxItemSchema'>, 'payload'>>().toEqualTypeOf<
      Omit<Bare<StoredOutboxItem>, 'payload'>
    >();
    expectTypeOf<OnWire<'webhookWithSecretSchema'>>().toExtend<Bare<Webhook>>();
    expectTypeOf<keyof OnWire<'webhookWithSecretSchema'>>().toEqualTypeOf<keyof Bare<Webhook>>();
    expectTypeOf<keyof typeof EVENT_DATA>().toEqualTypeOf<StreamedEvent['event']>();
    expectTypeOf<OnStream<'message.received'>>().toEqualTypeOf<DataOf<'message.received'>>();
    expectTypeOf<OnStream<'message.sent'>>().toEqualTypeOf<DataOf<'message.sent'>>();
    expectTypeOf<DataOf<'message.delivered'>>().toExtend<OnStream<'message.delivered'>>();
    expectTypeOf<DataOf<'message.read'>>().toExtend<OnStream<'message.read'>>();
    expectTypeOf<DataOf<'message.edited'>>().toExtend<OnStream<'message.edited'>>();
    expectTypeOf<DataOf<'message.unsent'>>().toExtend<OnStream<'message.unsent'>>();
    expectTypeOf<OnStream<'reaction.added'>>().toEqualTypeOf<DataOf<'reaction.added'>>();
    expectTypeOf<OnStream<'reaction.removed'>>().toEqualTypeOf<DataOf<'reaction.removed'>>();
    expectTypeOf<OnStream<'typing.started'>>().toEqualTypeOf<DataOf<'typing.started'>>();
    expectTypeOf<OnStream<'typing.stopped'>>().toEqualTypeOf<DataOf<'typing.stopped'>>();
    expectTypeOf<OnStream<'receipt.read'>>().toEqualTypeOf<DataOf<'receipt.read'>>();
    expectTypeOf<OnStream<'line.status'>>().toEqualTypeOf<DataOf<'line.status'>>();
    expectTypeOf<keyof OnStream<'message.failed'>>().toEqualTypeOf<keyof DataOf<'message.failed'>>();
  });
});
