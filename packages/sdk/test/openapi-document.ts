/** `openapi/v1.json` as the generator of the types reads it, and what the client has otherwise. */
import { camelCase, type Dialect, type Schema, signatureOf } from './type-of-schema.ts';

/** Parts of the document that no method of the client gives as they are. */
const NO_RESOURCES: readonly string[] = ['WithRequestId', 'ErrorResponse', 'StreamedEvent'];
/** Answers that are one type for the client: a property is optional where not both have it. */
export const JOINED: Readonly<Record<string, { readonly other: string; readonly sentence: string }>> = {
  OutboxItem: { other: 'OutboxReceipt', sentence: 'The answer to a send has `id`, `status` and `requestId` alone.' },
  Webhook: { other: 'WebhookWithSecret', sentence: 'Its secret is in the answer that made it, alone.' },
};
/** Types with a name of their own, and a property that has each. */
export const NAMED = {
  LineService: ['Line', 'service'],
  Service: ['Chat', 'service'],
  OutboxStatus: ['OutboxItem', 'status'],
  SendStyle: ['Message', 'send_style'],
  ReactionType: ['Reaction', 'type'],
  OutboxPayload: ['OutboxItem', 'payload'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;
const REPLACED: Readonly<Record<string, string>> = {
  // A server that is newer than the client may know more of them.
  'Webhook.events': 'string[]',
  // The server takes any text and names those that it knows in its refusal.
  'CreateWebhookParams.events': 'readonly (WebhookEventName | ExtendedWebhookEventName)[]',
};

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly description: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}
type Content = Readonly<Record<string, { readonly schema: Schema & { readonly allOf?: readonly Schema[] } }>>;

export function dialectOf(document: Document, arrays: Dialect['arrays']): Dialect {
  const { schemas } = document.components;
  const joined = new Map(Object.entries(JOINED).map(([name, { other }]) => [other, name]));
  const named = Object.entries(NAMED).map(([name, [component, key]]) => {
    const schema = schemas[component]?.properties?.[key];
    if (schema === undefined) throw new Error(`The document has no ${component}.${key}, which ${name} is named for.`);
    return [signatureOf(schema), name] as const;
  });
  return { nameOf: (name) => joined.get(name) ?? name, named: new Map(named), replaced: REPLACED, arrays };
}

export function operationsOf(document: Document): Operation[] {
  return Object.values(document.paths).flatMap((path) => Object.values(path));
}

export function resourceNames(document: Document): string[] {
  const events = eventBodies(document).map(({ component }) => component);
  const others = Object.values(JOINED).map(({ other }) => other);
  return Object.entries(document.components.schemas)
    .filter(([, { properties = {} }]) => properties['next_cursor'] === undefined)
    .map(([name]) => name)
    .filter((name) => !NO_RESOURCES.includes(name) && !events.includes(name) && !others.includes(name));
}

export function eventBodies(document: Document) {
  return Object.entries(document.components.schemas).flatMap(([component, { properties = {} }]) => {
    const { event, data } = properties;
    return typeof event?.const === 'string' && data !== undefined ? [{ component, event: event.const, data }] : [];
  });
}

export function pascalCase(name: string): string {
  const camel = camelCase(name);
  return `${camel.slice(0, 1).toUpperCase()}${camel.slice(1)}`;
}
