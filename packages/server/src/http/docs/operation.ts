/** A route's row as an operation of the document. */
import { ApiError, ERRORS, type ErrorCode } from '../../domain/errors.ts';
import { EXAMPLE_REQUEST_ID, RESOURCE_EXAMPLES } from '../../wire/examples.ts';
import type { ResourceName } from '../../wire/resources.ts';
import { sendblueErrorBody, sendblueStatus } from '../../wire/sendblue.ts';
import { V1 } from '../dialect.ts';
import { refusalsOf } from '../refusals.ts';
import type { AnswerShape, Route } from '../route.ts';
import { STREAM_TYPE, streamMedia } from './event-docs.ts';
import { tagOf } from './guide.ts';
import { requestSchema, SCHEMAS_PATH } from './json-schema.ts';
import type { Example, Media, Operation, Parameter, Response, Schema } from './open-api.ts';
import { REQUEST_EXAMPLES, type RequestExample } from './request-examples.ts';

const IDEMPOTENCY_KEY_MAX = 255;
const ALLOWANCE_HEADERS = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'] as const;
const WAITING_STATUSES: ReadonlySet<number> = new Set([429, 503]);
/** Refused before a key was looked at. */
const UNAUTHENTICATED = 401;

export function operationOf(row: Route): Operation {
  const example = REQUEST_EXAMPLES[row.name] ?? {};
  const parameters = parametersOf(row, example);
  return {
    operationId: row.name,
    summary: row.summary,
    ...(row.description === '' ? {} : { description: row.description }),
    tags: [tagOf(row.path)],
    security: [row.scope, ...row.alsoBy].map((scope) => securityOf(row, scope)),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...bodyOf(row, example),
    responses: { [row.status]: success(row), ...refusals(row) },
  };
}

function securityOf({ dialect }: Route, scope: string): Record<string, string[]> {
  return dialect === V1 ? { apiKey: [scope] } : { keyId: [scope], keySecret: [scope] };
}

/** `/v1/messages/:id` in the document's spelling. */
export function pathOfRow(row: Route): string {
  return row.path.replaceAll(/:(\w+)/g, '{$1}');
}

/** How a list of a resource is called among the schemas. */
export function listName(name: string): string {
  return `${name}List`;
}

function parametersOf(row: Route, example: RequestExample): Parameter[] {
  const fields = row.query === null ? {} : requestSchema(row.query);
  const inPath = Object.entries(row.params).map(
    ([name, description]): Parameter => ({
      name,
      in: 'path',
      required: true,
      description,
      schema: { type: 'string' },
      ...shown(example.params?.[name]),
    }),
  );
  const inQuery = Object.entries(fields.properties ?? {}).map(([name, { description = '', ...schema }]): Parameter => {
    const required = fields.required?.includes(name) ?? false;
    return { name, in: 'query', required, description, schema, ...shown(example.query?.[name], schema) };
  });
  const own = Object.entries(row.headers).map(
    ([name, description]): Parameter => ({
      name,
      in: 'header',
      required: false,
      description,
      schema: { type: 'string' },
    }),
  );
  return [...inPath, ...inQuery, ...own, ...(row.method === 'POST' ? [IDEMPOTENCY_KEY] : [])];
}

const IDEMPOTENCY_KEY: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same request gets the first answer again, for 24 hours, and is done once.',
  schema: { type: 'string', maxLength: IDEMPOTENCY_KEY_MAX },
};

function shown(example: string | undefined, schema: Schema = {}): { example?: string | number } {
  if (example === undefined) return {};
  return { example: schema.type === 'integer' ? Number(example) : example };
}

const FORM_SCHEMA: Schema = {
  type: 'object',
  required: ['file'],
  properties: { file: { type: 'string', format: 'binary', description: 'The file.' } },
};

function bodyOf(row: Route, example: RequestExample): Pick<Operation, 'requestBody'> {
  if (row.rawBody) return { requestBody: { required: true, content: { 'application/octet-stream': { schema: {} } } } };
  if (row.hasForm)
    return { requestBody: { required: true, content: { 'multipart/form-data': { schema: FORM_SCHEMA } } } };
  // A body that says nothing may be left out.
  if (row.body === null || Object.keys(row.body.shape).length === 0) return {};
  const oneOfThem = row.anyOf.length === 0 ? {} : { anyOf: row.anyOf.map((name) => ({ required: [name] })) };
  const schema: Schema = { ...requestSchema(row.body), ...oneOfThem };
  const media: Media = { schema, ...(example.body === undefined ? {} : { example: example.body }) };
  return { requestBody: { required: true, content: { 'application/json': media } } };
}

function success(row: Route): Response {
  const replayed = row.method === 'POST' ? ['Idempotent-Replayed'] : [];
  const leading = row.status === 302 ? ['Location'] : [];
  const headers = headersOf(['X-Request-Id', ...ALLOWANCE_HEADERS, ...replayed, ...leading]);
  if (row.answer !== null) {
    return { description: 'Done.', headers, content: { 'application/json': answerMedia(row.answer, row) } };
  }
  if (row.answerType === null) return { description: 'Done.', headers };
  const media = row.answerType === STREAM_TYPE ? streamMedia() : { schema: { type: 'string' } };
  return { description: 'Done.', headers, content: { [row.answerType]: media } };
}

function answerMedia(answer: NonNullable<AnswerShape>, { dialect }: Route): Media {
  const request_id = EXAMPLE_REQUEST_ID;
  const name = resourceOf(answer);
  const value = RESOURCE_EXAMPLES[name];
  if (answer.endsWith('[]')) {
    return {
      schema: { $ref: `${SCHEMAS_PATH}${listName(name)}` },
      example: { data: [value], has_more: false, next_cursor: null, request_id },
    };
  }
  if (dialect !== V1) return { schema: { $ref: `${SCHEMAS_PATH}${name}` }, example: value };
  const schema = { allOf: [{ $ref: `${SCHEMAS_PATH}${name}` }, { $ref: `${SCHEMAS_PATH}WithRequestId` }] };
  return { schema, example: { ...(typeof value === 'object' ? value : {}), request_id } };
}

/** The resource of an answer, or of a list of it. */
function resourceOf(answer: NonNullable<AnswerShape>): ResourceName {
  return (answer.endsWith('[]') ? answer.slice(0, -2) : answer) as ResourceName;
}

/** Every refusal under its status, with an example of each code. */
function refusals(row: Route): Record<string, Response> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of refusalsOf(row)) {
    const status = row.dialect.errorStatus(new ApiError(code));
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, codes]) => [String(status), refusal(row, status, codes)]));
}

function refusal({ dialect }: Route, status: number, codes: readonly ErrorCode[]): Response {
  const waits = WAITING_STATUSES.has(status) ? ['Retry-After'] : [];
  const allowance = status === UNAUTHENTICATED || status === 503 ? [] : ALLOWANCE_HEADERS;
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].message}`).join(' '),
    headers: headersOf(['X-Request-Id', ...allowance, ...waits]),
    content: { 'application/json': dialect === V1 ? refusalMedia(codes) : sendblueRefusalMedia(codes) },
  };
}

function refusalMedia(codes: readonly ErrorCode[]): Media {
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return { schema: { $ref: `${SCHEMAS_PATH}ErrorResponse` }, examples };
}

function sendblueRefusalMedia(codes: readonly ErrorCode[]): Media {
  const examples = Object.fromEntries(codes.map((code) => [code, sendblueExample(new ApiError(code))]));
  return { schema: { $ref: `${SCHEMAS_PATH}SendblueError` }, examples };
}

function sendblueExample(error: ApiError): Example {
  return { summary: `Status ${sendblueStatus(error)}`, value: sendblueErrorBody(error) };
}

function headersOf(names: readonly string[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
