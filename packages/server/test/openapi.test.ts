/** The OpenAPI document: that it is the rows', that it is whole, and that its examples and real answers fit it. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../src/domain/errors.ts';
import { EVENTS, WEBHOOK_EVENTS } from '../src/domain/events.ts';
import { createDocument } from '../src/http/docs/document.ts';
import type { Media, OpenApiDocument, Operation } from '../src/http/docs/open-api.ts';
import { REQUEST_EXAMPLES } from '../src/http/docs/request-examples.ts';
import { inputParser } from '../src/http/input.ts';
import { REFUSALS_OF_ANY_REQUEST, refusalsOf } from '../src/http/refusals.ts';
import type { Route } from '../src/http/route.ts';
import { eventBodySchema } from '../src/wire/event-schemas.ts';
import { EVENT_EXAMPLES, EXAMPLE_DELIVERY, RESOURCE_EXAMPLES } from '../src/wire/examples.ts';
import { RESOURCES } from '../src/wire/resources.ts';
import { type Answer, LINE, PHONE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { documentText, OPENAPI_FILE, SENDBLUE_FILE, sendblueText } from './openapi-file.ts';
import { startReceiver } from './receiver.ts';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const published = JSON.parse(readFileSync(OPENAPI_FILE, 'utf8')) as OpenApiDocument;

let test: TestServer;
let routes: readonly Route[];
let whole: OpenApiDocument;

beforeAll(async () => {
  test = await startTestServer('sqlite');
  routes = test.server.routes;
  whole = createDocument(routes, null);
});
afterAll(() => test.stop());

interface Placed {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

function operationsOf(items: OpenApiDocument['paths']): Placed[] {
  return Object.entries(items).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
}

/** Every object in the document, with where it stands. */
function* partsOf(value: unknown, place = '#'): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [place, value as Record<string, unknown>];
  for (const [key, part] of Object.entries(value)) {
    yield* partsOf(part, `${place}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
}

function validatorOf(document: OpenApiDocument) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ ...document, $id: 'https://document.test/' });
  return (pointer: string, value: unknown): string[] => {
    const validate = ajv.getSchema(`https://document.test/${pointer}`);
    if (!validate) throw new Error(`There is no schema at ${pointer}.`);
    return validate(value)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

describe('openapi/v1.json', () => {
  it('is the document of the rows of /v1: after a change, `npm run generate`', () => {
    expect(documentText(routes)).toBe(readFileSync(OPENAPI_FILE, 'utf8'));
  });

  it('has every route of /v1 and no other', () => {
    const listed = operationsOf(published.paths).map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    const served = routes.filter(({ path }) => path.startsWith('/v1/'));
    expect(listed.sort()).toEqual(
      served.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`).sort(),
    );
  });

  it('says nothing of the machine that made it', () => {
    expect(JSON.stringify(published)).not.toMatch(/\/tmp|\/home|localhost/);
  });
});

describe('openapi/sendblue.json', () => {
  const document = JSON.parse(readFileSync(SENDBLUE_FILE, 'utf8')) as OpenApiDocument;

  it('is the document of the rows of /api: after a change, `npm run generate`', () => {
    expect(sendblueText(routes)).toBe(readFileSync(SENDBLUE_FILE, 'utf8'));
  });

  it('has every route of /api that is served, names the others, and refers to nothing that is not there', () => {
    const listed = operationsOf(document.paths).map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    const rows = routes.filter(({ path }) => path.startsWith('/api/'));
    const named = ({ method, path }: Route) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`;
    expect(listed.sort()).toEqual(
      rows
        .filter((row) => row.isServed)
        .map(named)
        .sort(),
    );
    for (const { method, path } of rows.filter((row) => !row.isServed)) {
      expect(document.info.description).toContain(`\`${method} ${path}\``);
    }
    const places = new Set([...partsOf(document)].map(([place]) => place));
    const references = [...partsOf(document)].flatMap(([, { $ref }]) => (typeof $ref === 'string' ? [$ref] : []));
    expect(references.filter((one) => !places.has(one))).toEqual([]);
  });

  it('has refusals that fit its schema', () => {
    const problems = validatorOf(document);
    for (const { operation } of operationsOf(document.paths)) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        for (const example of Object.values(content?.['application/json']?.examples ?? {})) {
          const value = 'value' in example ? example.value : null;
          expect(problems('#/components/schemas/SendblueError', value), `${operation.operationId} ${status}`).toEqual(
            [],
          );
        }
      }
    }
  });
});

describe('the document of everything that is served', () => {
  it('names each operation once, also beside the events', () => {
    const names = [...operationsOf(whole.paths), ...operationsOf(whole.webhooks)].map(
      (one) => one.operation.operationId,
    );
    expect(names).toEqual([...new Set(names)]);
    for (const name of names) expect(name).toMatch(/^[a-z][A-Za-z]+$/);
  });

  it('declares exactly the varying parts of each path', () => {
    for (const { path, operation } of operationsOf(whole.paths)) {
      const declared = (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name);
      expect(declared, path).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  });

  it('has methods, tags and references that exist', () => {
    const tags = new Map(whole.tags.map((one) => [one.name, one.description]));
    for (const { method, operation } of operationsOf(whole.paths)) {
      expect(METHODS).toContain(method);
      for (const tag of operation.tags) expect(tags.get(tag), tag).toMatch(/^[A-Z].*\.$/);
    }
    const places = new Set([...partsOf(whole)].map(([place]) => place));
    const references = [...partsOf(whole)].flatMap(([, { $ref }]) => (typeof $ref === 'string' ? [$ref] : []));
    expect(references.length).toBeGreaterThan(100);
    expect(references.filter((one) => !places.has(one))).toEqual([]);
  });

  it('has a sentence for every operation, parameter, answer and field', () => {
    const mute: string[] = [];
    for (const [place, part] of partsOf(whole)) {
      if (/\/(?:example|examples)(?:\/|$)/.test(place)) continue;
      const isField = /\/properties\/\w+$/.test(place);
      const isParameter = /\/parameters\/\d+$/.test(place) || /\/responses\/[^/]+$/.test(place);
      if ((isField || isParameter) && !('$ref' in part) && !isSentence(part['description'])) mute.push(place);
      if ('operationId' in part && !isSentence(part['summary'])) mute.push(place);
    }
    expect(mute).toEqual([]);
  });

  it('has every error code, with its status, in an operation or among what any request may get', () => {
    const listed = new Set<string>(REFUSALS_OF_ANY_REQUEST);
    for (const { operation } of operationsOf(whole.paths)) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        for (const [code, example] of Object.entries(content?.['application/json']?.examples ?? {})) {
          listed.add(code);
          const { summary } = 'value' in example ? example : (whole.components.examples[code] ?? {});
          expect(summary).toBe(`Status ${status}`);
        }
      }
    }
    // What is not served is in no document: its refusal is that of its rows.
    for (const row of routes.filter((one) => !one.isServed)) for (const code of refusalsOf(row)) listed.add(code);
    expect([...listed].sort()).toEqual(Object.keys(ERRORS).sort());
    expect(Object.keys(whole.components.examples)).toEqual(Object.keys(ERRORS));
    for (const code of REFUSALS_OF_ANY_REQUEST) expect(whole.info.description).toContain(`\`${code}\``);
  });

  it("needs of each operation the row's scope", () => {
    const needed = operationsOf(whole.paths).map(({ operation }) => [operation.operationId, operation.security]);
    const named = (path: string, scope: string) =>
      path.startsWith('/api/') ? { keyId: [scope], keySecret: [scope] } : { apiKey: [scope] };
    const scopes = routes
      .filter((row) => row.isServed)
      .map(({ name, path, scope, alsoBy }) => [name, [scope, ...alsoBy].map((one) => named(path, one))]);
    expect(Object.fromEntries(needed)).toEqual(Object.fromEntries(scopes));
  });

  it('has every event that a webhook may have, and every one that the stream may carry', () => {
    expect(Object.keys(whole.webhooks)).toEqual([...WEBHOOK_EVENTS]);
    const streamed = whole.components.schemas['StreamedEvent']?.discriminator?.mapping ?? {};
    expect(Object.keys(streamed)).toEqual(Object.keys(EVENTS));
  });

  it('closes every quote of code in its texts', () => {
    for (const [place, { description, summary }] of partsOf(whole)) {
      for (const text of [description, summary]) {
        if (typeof text === 'string') expect(text.split('`').length % 2, `${place}: ${text}`).toBe(1);
      }
    }
  });
});

function isSentence(text: unknown): boolean {
  return typeof text === 'string' && /^[A-Z`].*\.$/s.test(text);
}

describe('an example', () => {
  it('of a resource has exactly its keys', () => {
    for (const [name, schema] of Object.entries(RESOURCES)) {
      const example = Object.entries(RESOURCE_EXAMPLES).find(([one]) => one === name)?.[1];
      expect(schema.safeParse(example).error, name).toBeUndefined();
    }
  });

  it('of an event has exactly its keys', () => {
    for (const name of Object.keys(EVENT_EXAMPLES) as (keyof typeof EVENT_EXAMPLES)[]) {
      const body = { event: name, data: EVENT_EXAMPLES[name], ...EXAMPLE_DELIVERY };
      expect(eventBodySchema(name).safeParse(body).error, name).toBeUndefined();
    }
  });

  it('of a request is there for every operation that takes something, and the server would take it', () => {
    expect(Object.keys(REQUEST_EXAMPLES).filter((name) => !routes.some((row) => row.name === name))).toEqual([]);
    for (const { name, query, body, anyOf, params } of routes.filter((row) => row.isServed)) {
      const example = REQUEST_EXAMPLES[name] ?? {};
      expect(Object.keys(example.params ?? {}), name).toEqual(Object.keys(params));
      expect(
        Object.keys(example.query ?? {}).filter((key) => !(key in (query?.shape ?? {}))),
        name,
      ).toEqual([]);
      expect(
        Object.keys(example.body ?? {}).filter((key) => !(key in (body?.shape ?? {}))),
        name,
      ).toEqual([]);
      if (query) expect(() => inputParser(query)(example.query ?? {}), name).not.toThrow();
      if (body) expect(() => inputParser(body, anyOf)(example.body ?? {}), name).not.toThrow();
      if (body) expect(example.body, name).toBeDefined();
    }
  });

  it('fits the schema that stands beside it', () => {
    const problems = validatorOf(whole);
    let checked = 0;
    for (const [place, part] of partsOf(whole)) {
      if (!('schema' in part) || !('example' in part)) continue;
      expect(problems(`${place}/schema`, (part as unknown as Media).example), place).toEqual([]);
      checked++;
    }
    expect(checked).toBeGreaterThan(50);
    for (const [code, { value }] of Object.entries(whole.components.examples)) {
      expect(problems('#/components/schemas/ErrorResponse', value), code).toEqual([]);
    }
  });

  it('that does not fit is noticed', () => {
    const problems = validatorOf(whole);
    expect(problems('#/components/schemas/Line', { ...asRecord(RESOURCE_EXAMPLES.Line), handle: 7 })).toEqual([
      '/handle must be string',
    ]);
    expect(problems('#/components/schemas/Line', {}).length).toBe(5);
  });
});

describe('a real answer fits the published document', () => {
  const from = encodeURIComponent(LINE);
  const ask = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown, key?: string | null) =>
    test.call(method, path, body, key === undefined ? {} : { key });

  /** Where the schema of the answer stands. */
  const pointerOf = (path: string, method: string, status: number) =>
    `#/paths/${path.replaceAll('/', '~1')}/${method.toLowerCase()}/responses/${status}/content/application~1json/schema`;

  it('of every operation of /v1, and of its refusals', async () => {
    const problems = validatorOf(published);
    const asked = new Set<string>();
    const check = async (path: string, method: 'GET' | 'POST' | 'DELETE', answering: Promise<Answer>) => {
      const answer = await answering;
      const place = pointerOf(encodeURI(path), method, answer.status);
      expect(problems(place, answer.body), `${method} ${path} ${answer.status}`).toEqual([]);
      asked.add(`${method} ${path}`);
      return answer;
    };
    const { chatId } = await test.text('Hello line');
    const sent = await check(
      '/v1/messages',
      'POST',
      ask('POST', '/v1/messages', { from: LINE, to: PHONE, text: 'Hi' }),
    );
    const outboxId = String(sent.body['id']);
    await check('/v1/outbox', 'GET', ask('GET', `/v1/outbox?id=${outboxId}`));
    await test.settled(outboxId);
    await check('/v1/outbox', 'GET', ask('GET', `/v1/outbox?id=${outboxId}`));
    const messages = await check('/v1/messages', 'GET', ask('GET', `/v1/messages?from=${from}&to=${chatId}&limit=1`));
    expect(messages.body['has_more']).toBe(true);
    const [message] = messages.body['data'] as { id: string }[];
    await check('/v1/messages/{id}', 'GET', ask('GET', `/v1/messages/${message?.id}`));
    const upload = { from: LINE };
    const file = await check('/v1/files', 'POST', ask('POST', '/v1/files', upload));
    const memo = { from: LINE, to: PHONE, audio_message: file.body['id'] };
    await check('/v1/audio-messages', 'POST', ask('POST', '/v1/audio-messages', memo));
    await check('/v1/files/{id}', 'GET', ask('GET', `/v1/files/${file.body['id']}`));
    await check('/v1/files', 'GET', ask('GET', '/v1/files?id=file_nobody'));
    await check('/v1/lines', 'GET', ask('GET', '/v1/lines'));
    await check('/v1/chats/{id}', 'GET', ask('GET', `/v1/chats/${chatId}`));
    const inChat = { from: LINE, to: PHONE };
    const reaction = { ...inChat, message_id: message?.id, type: 'love' };
    const reacted = await check('/v1/reactions', 'POST', ask('POST', '/v1/reactions', reaction));
    await test.settled(String(reacted.body['id']));
    const reactions = await check('/v1/reactions', 'GET', ask('GET', `/v1/reactions?message_id=${message?.id}`));
    expect(reactions.body['data']).toHaveLength(1);
    await check('/v1/typing', 'POST', ask('POST', '/v1/typing', inChat));
    await ask('POST', '/simulator/v1/typing', { from: PHONE, to: LINE });
    await check('/v1/typing', 'GET', ask('GET', `/v1/typing?from=${from}&to=${chatId}`));
    await check('/v1/receipts', 'POST', ask('POST', '/v1/receipts', inChat));
    await ask('POST', '/simulator/v1/reads', { from: PHONE, to: LINE });
    await check('/v1/receipts', 'GET', ask('GET', `/v1/receipts?from=${from}&to=${chatId}`));
    await check('/v1/chats', 'GET', ask('GET', `/v1/chats?from=${from}`));
    const hook = { from: LINE, url: 'http://127.0.0.1:9/hook', events: ['message.sent'] };
    const made = await check('/v1/webhooks', 'POST', ask('POST', '/v1/webhooks', hook));
    await check('/v1/webhooks', 'GET', ask('GET', `/v1/webhooks?from=${from}`));
    await check('/v1/webhooks', 'DELETE', ask('DELETE', '/v1/webhooks', { id: made.body['id'] }));
    for (const method of ['POST', 'GET', 'DELETE'] as const) {
      await check('/v1/sandbox', method, ask(method, '/v1/sandbox'));
    }
    await check('/v1/messages', 'POST', ask('POST', '/v1/messages', {}));
    await check('/v1/messages', 'POST', ask('POST', '/v1/messages', { from: LINE, to: '+15550104321', text: 'Hi' }));
    await check('/v1/messages', 'POST', ask('POST', '/v1/messages', {}, null));
    await check('/v1/messages/{id}', 'GET', ask('GET', '/v1/messages/msg_nobody'));
    await check('/v1/events', 'GET', ask('GET', '/v1/events?after=nothing'));
    const all = operationsOf(published.paths).map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    expect([...asked].sort()).toEqual(all.sort());
  });

  it('of a webhook: its body and its headers', async () => {
    const problems = validatorOf(published);
    const receiver = await startReceiver();
    await test.webhook(receiver.url);
    await test.text('Hello webhook');
    await test.settled(await test.send('Hello back'));
    const seen = await waitFor(() => (receiver.received.length >= 2 ? receiver.received : undefined), 'two deliveries');
    for (const one of seen) {
      const place = `#/webhooks/${one.event}/post/requestBody/content/application~1json/schema`;
      expect(problems(place, JSON.parse(one.body))).toEqual([]);
      const listed = published.webhooks[one.event]?.['post']?.parameters ?? [];
      const named = listed.map(({ name }) => name.toLowerCase());
      const needed = listed.filter(({ required }) => required).map(({ name }) => name.toLowerCase());
      const given = Object.keys(one.headers).filter((name) => name.includes('webhook'));
      expect(
        given.filter((name) => !named.includes(name)),
        'headers that are not in the document',
      ).toEqual([]);
      expect(
        needed.filter((name) => !given.includes(name)),
        'headers that did not come',
      ).toEqual([]);
    }
    await receiver.close();
  });
});

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
