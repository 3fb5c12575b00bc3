/** The events in the document: what a webhook is sent, and what the stream carries. */
import { EVENTS, type EventType, isEventType, WEBHOOK_EVENTS } from '../../domain/events.ts';
import { EVENT_EXAMPLES, EXAMPLE_DELIVERY } from '../../wire/examples.ts';
import { SCHEMAS_PATH } from './json-schema.ts';
import type { Media, Operation, Parameter, PathItem, Schema } from './open-api.ts';

const EXAMPLE_CURSOR = '4f1d2c9a8b07.42';

/** The headers of every delivery, but for its media type. */
const DELIVERY_HEADERS: Readonly<Record<string, string>> = {
  'X-Webhook-Timestamp': "When this attempt was made, in Unix milliseconds; the body's `timestamp` is the same.",
  'X-Webhook-Delivery-Id': "The delivery's id, the same over all attempts; use it to recognise a repeat.",
  'X-Webhook-Signature':
    "Lower-case hex HMAC-SHA256 of `<timestamp>.<raw body>`; the key is the webhook's whole secret, `whsec_` and all.",
  'X-Webhook-Signature-Previous': 'The same with the secret before the last rotation, while both count.',
  'webhook-id': "The delivery's id, as Standard Webhooks calls it.",
  'webhook-timestamp': 'When this attempt was made, in Unix seconds.',
  'webhook-signature':
    '`v1,` and the base64 HMAC-SHA256 of `<id>.<seconds>.<raw body>`; the key is what follows `whsec_`, decoded. Two of them, with a space between, while two secrets count.',
};
/** They come only while two secrets count. */
const OPTIONAL_HEADERS: ReadonlySet<string> = new Set(['X-Webhook-Signature-Previous']);

/** Every event by the name of its schema, in the order in which the code lists them. */
export function eventSchemaNames(): ReadonlyMap<string, EventType> {
  return new Map(
    Object.keys(EVENTS)
      .filter(isEventType)
      .map((name) => [schemaName(name), name]),
  );
}

export const STREAM_TYPE = 'text/event-stream';

/** A stream has no schema that JSON Schema could say, so that its `data` stands apart. */
export function streamMedia(): Media {
  const event = 'message.received';
  const data = { event, data: EVENT_EXAMPLES[event], timestamp: EXAMPLE_DELIVERY.timestamp };
  return {
    schema: { type: 'string', description: 'The `data` of each event is a StreamedEvent, as JSON.' },
    example: `: a comment, at once and then every 15 seconds\n\nid: ${EXAMPLE_CURSOR}\ndata: ${JSON.stringify(data)}\n\n`,
  };
}

/** Whatever the stream may carry. */
export function streamedEvent(): Schema {
  const refs = Object.keys(EVENTS).map((name): [string, string] => [name, `${SCHEMAS_PATH}${schemaName(name)}`]);
  return {
    oneOf: refs.map(([, $ref]) => ({ $ref })),
    discriminator: { propertyName: 'event', mapping: Object.fromEntries(refs) },
    description: 'The `data` of one event of the stream.',
  };
}

export function webhookSection(): Record<string, PathItem> {
  return Object.fromEntries(WEBHOOK_EVENTS.map((name) => [name, { post: delivery(name) }]));
}

function delivery(name: EventType): Operation {
  const example = { event: name, data: EVENT_EXAMPLES[name], ...EXAMPLE_DELIVERY };
  const schema = { $ref: `${SCHEMAS_PATH}${schemaName(name)}` };
  return {
    operationId: `on${schemaName(name)}`,
    summary: EVENTS[name].sentence,
    tags: ['Events'],
    parameters: Object.entries(DELIVERY_HEADERS).map(
      ([header, description]): Parameter => ({
        name: header,
        in: 'header',
        required: !OPTIONAL_HEADERS.has(header),
        description,
        schema: { type: 'string' },
      }),
    ),
    requestBody: { required: true, content: { 'application/json': { schema, example } } },
    responses: {
      '2XX': { description: 'Taken. It must come within 15 seconds.' },
      410: { description: 'Disables the webhook at once.' },
      default: { description: 'Tried again, twelve times over about 76 hours; a redirect too.' },
    },
  };
}

/** `message.received` as `MessageReceivedEvent`. */
function schemaName(event: string): string {
  const words = event.split('.').map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  return `${words.join('')}Event`;
}
