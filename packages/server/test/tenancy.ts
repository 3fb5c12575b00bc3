/** Further keys, accounts and lines, and odd requests: what a test of the doors needs beside the first key. */
import { randomBytes } from 'node:crypto';
import { displayPrefix, hashKey, makeKey } from '../src/access/keys.ts';
import { RATE_LIMIT_MAX } from '../src/domain/api-key.ts';
import { createIds } from '../src/domain/ids.ts';
import { API_SCOPES, type Scope } from '../src/domain/scopes.ts';
import { createAccounts, createKeys } from '../src/store/accounts.ts';
import { createLines } from '../src/store/lines.ts';
import { type Answer, expectStatus, KEY, LINE, type TestServer, waitFor } from './harness.ts';

/** The SDK's least idea of a key, and the simulator. */
export const ALL_SCOPES: readonly Scope[] = [...API_SCOPES, 'simulator:write'];
export const SECOND_LINE = '+15550100002';
export const STRANGERS_LINE = '+15550100003';

const ids = createIds(Date.now, randomBytes);

export interface KeyOptions {
  readonly accountRef?: number;
  readonly scopes?: readonly Scope[];
  readonly lineRefs?: readonly number[] | null;
  readonly expiresAt?: number | null;
  readonly rateLimitPerHour?: number;
}

/** A key of the first account with every scope, unless the options say otherwise. */
export async function addKey(test: TestServer, options: KeyOptions = {}): Promise<string> {
  const key = makeKey(randomBytes);
  await test.server.writer.write(createKeys, {
    id: ids.make('key'),
    accountRef: options.accountRef ?? (await refOf(test, LINE)).accountRef,
    name: 'Test',
    prefix: displayPrefix(key),
    hash: hashKey(key),
    scopes: options.scopes ?? ALL_SCOPES,
    lineRefs: options.lineRefs ?? null,
    expiresAt: options.expiresAt ?? null,
    rateLimitPerHour: options.rateLimitPerHour ?? RATE_LIMIT_MAX,
    now: Date.now(),
  });
  return key;
}

/** The public id of a key, or one that no key has. */
export async function keyIdOf(test: TestServer, key: string): Promise<string> {
  const named = test.server.engine.query.selectFrom('api_keys').select('id').where('hash', '=', hashKey(key));
  return (await named.executeTakeFirst())?.id ?? ids.make('key');
}

export async function addAccount(test: TestServer): Promise<number> {
  const now = Date.now();
  return test.server.writer.write(createAccounts, { id: ids.make('account'), ownerEmail: 'b@example.com', now });
}

/** A simulated line that runs: of the first account, unless the options say otherwise. Gives its id and its ref. */
export async function addLine(
  test: TestServer,
  handle = SECOND_LINE,
  options: { accountRef?: number; contactFirst?: boolean; service?: 'imessage' | 'sms' } = {},
): Promise<{ id: string; ref: number }> {
  const id = ids.make('line');
  const ref = await test.server.writer.write(createLines, {
    id,
    accountRef: options.accountRef ?? (await refOf(test, LINE)).accountRef,
    handle,
    label: null,
    service: options.service ?? 'imessage',
    kind: 'simulator',
    isActive: true,
    isSandbox: false,
    contactFirst: options.contactFirst ?? true,
    optOutKeywords: false,
    paceMs: 0,
    now: Date.now(),
  });
  const lease = `line ${ref}`;
  const running = test.server.engine.query.selectFrom('leases').select('name').where('name', '=', lease);
  await waitFor(() => running.executeTakeFirst(), `line ${handle} to run`);
  return { id, ref: Number(ref) };
}

/** A line that an agent would reach, made as its operator makes it. */
export async function addRemoteLine(test: TestServer, handle: string, key = KEY) {
  const body = { handle, driver: 'remote' };
  const { body: line } = expectStatus(201, await test.call('POST', '/admin/v1/lines', body, { key }));
  return { id: String(line['id']), ref: (await refOf(test, handle)).ref, handle };
}

export async function refOf(test: TestServer, handle: string) {
  const row = await test.server.engine.query
    .selectFrom('lines')
    .select(['id', 'ref', 'account_ref'])
    .where('handle', '=', handle)
    .executeTakeFirstOrThrow();
  return { id: row.id, ref: row.ref, accountRef: row.account_ref };
}

/** A request with exactly these headers and bytes. */
export async function sendRaw(
  test: TestServer,
  request: {
    method: string;
    path: string;
    headers?: Readonly<Record<string, string>>;
    payload?: string | Buffer;
  },
): Promise<Answer> {
  const response = await test.server.app.inject({
    // Methods that the server does not know are the point of some tests.
    method: request.method as 'GET',
    url: request.path,
    ...(request.headers === undefined ? {} : { headers: request.headers }),
    ...(request.payload === undefined ? {} : { payload: request.payload }),
  });
  const body = response.body === '' ? {} : (JSON.parse(response.body) as Record<string, unknown>);
  return { status: response.statusCode, headers: response.headers, body };
}

export interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly param: string | undefined;
}

/** What an error's answer says, after its envelope was found to be exactly as documented. */
export function refusal(answer: Answer): Refusal {
  const error = answer.body['error'] as Record<string, unknown>;
  const keys = Object.keys(error ?? {}).sort();
  const expected = 'param' in (error ?? {}) ? ['code', 'message', 'param', 'type'] : ['code', 'message', 'type'];
  const isEnvelope =
    JSON.stringify(Object.keys(answer.body).sort()) === '["error","request_id"]' &&
    JSON.stringify(keys) === JSON.stringify(expected) &&
    Object.values(error).every((value) => typeof value === 'string' && value !== '') &&
    answer.body['request_id'] === answer.headers['x-request-id'];
  if (!isEnvelope) throw new Error(`Not an error envelope: ${answer.status} ${JSON.stringify(answer.body)}`);
  const { type, code, param } = error as { type: string; code: string; param?: string };
  return { status: answer.status, type, code, param };
}

const TYPES: Readonly<Record<string, readonly [number, string]>> = {
  missing_api_key: [401, 'authentication_error'],
  invalid_api_key: [401, 'authentication_error'],
  insufficient_scope: [403, 'authorization_error'],
  line_not_accessible: [403, 'authorization_error'],
  sandbox_not_activated: [403, 'authorization_error'],
  sandbox_requires_owner: [403, 'authorization_error'],
  missing_required_parameter: [400, 'invalid_request_error'],
  invalid_parameter_value: [400, 'invalid_request_error'],
  invalid_json: [400, 'invalid_request_error'],
  empty_file: [400, 'invalid_request_error'],
  bad_request: [400, 'invalid_request_error'],
  advanced_features_required: [400, 'invalid_request_error'],
  sandbox_contact_mismatch: [400, 'invalid_request_error'],
  contact_has_not_messaged: [403, 'invalid_request_error'],
  recipient_opted_out: [403, 'invalid_request_error'],
  line_not_found: [404, 'not_found_error'],
  chat_not_found: [404, 'not_found_error'],
  message_not_found: [404, 'not_found_error'],
  outbox_item_not_found: [404, 'not_found_error'],
  webhook_not_found: [404, 'not_found_error'],
  delivery_not_found: [404, 'not_found_error'],
  webhook_inactive: [409, 'invalid_request_error'],
  key_not_found: [404, 'not_found_error'],
  device_not_found: [404, 'not_found_error'],
  file_not_found: [404, 'not_found_error'],
  route_not_found: [404, 'not_found_error'],
  method_not_allowed: [405, 'invalid_request_error'],
  payload_too_large: [413, 'invalid_request_error'],
  file_too_large: [413, 'invalid_request_error'],
  headers_too_large: [431, 'invalid_request_error'],
  uri_too_long: [414, 'invalid_request_error'],
  request_timeout: [408, 'invalid_request_error'],
  unsupported_media_type: [415, 'invalid_request_error'],
  rate_limit_exceeded: [429, 'rate_limit_error'],
  sandbox_quota_exceeded: [429, 'rate_limit_error'],
  idempotency_key_reused: [409, 'invalid_request_error'],
  idempotency_key_in_progress: [409, 'invalid_request_error'],
  overloaded: [503, 'api_error'],
  not_implemented: [501, 'api_error'],
  internal_error: [500, 'api_error'],
};

/** The contract's table of errors: what an answer with this code must be. */
export function expected(code: string, param?: string): Refusal {
  const [status, type] = TYPES[code] ?? [0, ''];
  return { status, type, code, param };
}

/** Here what is named by a field of a request and is not there is wrong with the request. */
const SENDBLUE_STATUSES: Readonly<Record<string, number>> = {
  line_not_found: 400,
  chat_not_found: 400,
  contact_has_not_messaged: 400,
};

/** The same for the Sendblue dialect, whose refusals name no field. */
export function expectedOfSendblue(code: string): Refusal {
  const status = SENDBLUE_STATUSES[code] ?? expected(code).status;
  return { status, type: 'ERROR', code, param: undefined };
}

/** What an error's answer of the Sendblue dialect says, after its envelope was found to be exactly as documented. */
export function sendblueRefusal({ status, body }: Answer): Refusal {
  const { error_code: number, error_message: same, error_reason: code, message, ...rest } = body;
  const expectedNumber = status === 429 ? 4_001 : status >= 500 ? 5_000 : 4_000;
  const isEnvelope =
    JSON.stringify(rest) === '{"status":"ERROR"}' &&
    number === expectedNumber &&
    typeof message === 'string' &&
    message !== '' &&
    same === message;
  if (!isEnvelope) throw new Error(`Not an error of Sendblue: ${status} ${JSON.stringify(body)}`);
  return { status, type: 'ERROR', code: String(code), param: undefined };
}

/** By the path of a request, or of a row. */
export function isSendblue(path: string): boolean {
  return path.startsWith('/api/');
}
