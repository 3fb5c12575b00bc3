/** The OpenAPI document, made from the routes' rows. It is made where somebody asks for it, and never at a start. */
import { ApiError, ERRORS, type ErrorCode } from '../../domain/errors.ts';
import { errorResponseSchema, listSchemaOf, requestIdSchema } from '../../wire/envelopes.ts';
import { eventBodySchema } from '../../wire/event-schemas.ts';
import { EXAMPLE_REQUEST_ID } from '../../wire/examples.ts';
import { RESOURCES } from '../../wire/resources.ts';
import { sendblueErrorSchema } from '../../wire/sendblue-schemas.ts';
import { errorBody, errorStatus } from '../../wire/v1.ts';
import type { Route } from '../route.ts';
import { eventSchemaNames, streamedEvent, webhookSection } from './event-docs.ts';
import { type About, aboutApi, TAGS } from './guide.ts';
import { namedSchemas, SCHEMAS_PATH } from './json-schema.ts';
import type { Header, OpenApiDocument, PathItem, Schema } from './open-api.ts';
import { listName, operationOf, pathOfRow } from './operation.ts';

/** Left out where nothing refers to it, as all the schemas; but the stream has no schema of its own to do so. */
const ALWAYS_SHOWN: readonly string[] = ['StreamedEvent'];

/** `address`: where the server is; null where the document does not say, being no running server's. */
export function createDocument(
  rows: readonly Route[],
  address: string | null,
  { title, version, summary, description, isWhole }: About = aboutApi(),
): OpenApiDocument {
  const paths = pathsOf(rows.filter((row) => row.isServed));
  const webhooks = isWhole ? webhookSection() : {};
  return {
    openapi: '3.1.1',
    info: {
      title,
      version,
      summary,
      description,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [address === null ? ANY_SERVER : { url: address }],
    tags: tagsOf([...Object.values(paths), ...Object.values(webhooks)]),
    paths,
    webhooks,
    components: {
      securitySchemes: schemesNamedIn(paths),
      schemas: schemasNamedIn({ paths, webhooks }, isWhole ? ALWAYS_SHOWN : []),
      headers: HEADERS,
      examples: isWhole ? examplesOfErrors() : {},
    },
  };
}

const SECURITY_SCHEMES = {
  apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: `sk_live_...`.' },
  keyId: { type: 'apiKey', in: 'header', name: 'sb-api-key-id', description: "The API key's id: `key_...`." },
  keySecret: { type: 'apiKey', in: 'header', name: 'sb-api-secret-key', description: 'The API key: `sk_live_...`.' },
} as const;

/** Those that an operation asks for. */
function schemesNamedIn(paths: Readonly<Record<string, PathItem>>): Record<string, Readonly<Record<string, string>>> {
  const operations = Object.values(paths).flatMap((item) => Object.values(item));
  const named = new Set(operations.flatMap(({ security = [] }) => security.flatMap((one) => Object.keys(one))));
  return Object.fromEntries(Object.entries(SECURITY_SCHEMES).filter(([name]) => named.has(name)));
}

const ANY_SERVER = {
  url: '{address}',
  description: 'Your own server.',
  variables: { address: { default: 'http://127.0.0.1:8080', description: 'Where it listens.' } },
};

const HEADERS: Readonly<Record<string, Header>> = {
  'X-Request-Id': { description: 'The request, as in `request_id`.', schema: { type: 'string' } },
  'RateLimit-Limit': { description: 'How many requests the key has an hour.', schema: { type: 'integer' } },
  'RateLimit-Remaining': { description: 'How many of them are left.', schema: { type: 'integer' } },
  'RateLimit-Reset': { description: 'In how many seconds the next hour begins.', schema: { type: 'integer' } },
  'Retry-After': { description: 'How many seconds to wait before another try.', schema: { type: 'integer' } },
  Location: { description: 'Where to go on, absolute.', schema: { type: 'string', format: 'uri' } },
  'Idempotent-Replayed': {
    description: '`true` where this is the first answer again; left out otherwise.',
    schema: { type: 'string' },
  },
};

function pathsOf(rows: readonly Route[]): Record<string, PathItem> {
  const paths: Record<string, PathItem> = {};
  for (const row of rows) {
    const path = pathOfRow(row);
    paths[path] = { ...paths[path], [row.method.toLowerCase()]: operationOf(row) };
  }
  return paths;
}

/** Those that something is in, in the order of the guide. */
function tagsOf(items: readonly PathItem[]): { name: string; description: string }[] {
  const used = new Set(items.flatMap((item) => Object.values(item).flatMap((operation) => operation.tags)));
  const names = [...Object.keys(TAGS).filter((name) => used.has(name)), ...[...used].filter((name) => !(name in TAGS))];
  return names.map((name) => ({ name, description: TAGS[name] ?? '' }));
}

function examplesOfErrors(): Record<string, { summary: string; value: unknown }> {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  return Object.fromEntries(codes.map((code) => [code, exampleOfError(new ApiError(code))]));
}

function exampleOfError(error: ApiError): { summary: string; value: unknown } {
  return { summary: `Status ${errorStatus(error)}`, value: errorBody(error, EXAMPLE_REQUEST_ID) };
}

/** The schemas that these parts name, and those that they name in turn. */
function schemasNamedIn(parts: unknown, always: readonly string[]): Record<string, Schema> {
  const all = allSchemas();
  const wanted = new Set<string>();
  const want = (value: unknown): void => {
    for (const [, name = ''] of JSON.stringify(value).matchAll(REFERENCE)) {
      if (wanted.has(name)) continue;
      wanted.add(name);
      want(all[name]);
    }
  };
  want(parts);
  for (const name of always) want({ $ref: `${SCHEMAS_PATH}${name}` });
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name)));
}

const REFERENCE = new RegExp(`"${SCHEMAS_PATH}(\\w+)"`, 'g');

function allSchemas(): Record<string, Schema> {
  const lists = Object.entries(RESOURCES).map(([name, schema]) => [listName(name), listSchemaOf(schema)]);
  const events = [...eventSchemaNames()].map(([name, event]) => [name, eventBodySchema(event)]);
  return {
    ...namedSchemas({
      ...RESOURCES,
      ...Object.fromEntries(lists),
      ...Object.fromEntries(events),
      WithRequestId: requestIdSchema,
      ErrorResponse: errorResponseSchema,
      SendblueError: sendblueErrorSchema,
    }),
    StreamedEvent: streamedEvent(),
  };
}
