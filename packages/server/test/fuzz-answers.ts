/** What every answer must be, whatever was asked: of the documented shape, and never a fault of the server. */
import type { Route } from '../src/http/route.ts';
import { bodyOf, type RawAnswer } from './matrix-ask.ts';
import type { AccessRow } from './matrix-row.ts';
import { expected, expectedOfSendblue, isSendblue, refusal, sendblueRefusal } from './tenancy.ts';

const REQUEST_ID = /^req_[0-9a-hjkmnp-tv-z]{26}$/;

/** Throws a sentence where the answer is not one that the documents know. */
export function expectDocumented(row: Route, access: AccessRow, answer: RawAnswer): void {
  const { status, headers, text } = answer;
  const fail = (why: string): never => {
    throw new Error(`${why}: ${status} ${JSON.stringify(headers)} ${text.slice(0, 500)}`);
  };
  if (status >= 500 && !(status === 501 && !row.isServed)) fail('A fault of the server');
  if (!REQUEST_ID.test(headers['x-request-id'] ?? '')) fail('No request id');
  if (access.isStream && status === 200) {
    if (!headers['content-type']?.startsWith('text/event-stream')) fail('Not an event stream');
    return;
  }
  if (headers['content-type'] !== 'application/json; charset=utf-8') fail('Not JSON');
  const body = bodyOf(answer);
  const isReplayed = headers['idempotent-replayed'] === 'true';
  const isOfV1 = !isSendblue(row.path);
  if (isOfV1 && !isReplayed && body['request_id'] !== headers['x-request-id']) fail('Two request ids');
  if (status < 400) expectResource(access, status, body, isOfV1 ? ['request_id'] : [], fail);
  else expectRefusal(row, answer, body, fail);
  expectNoPollution();
}

/** A prototype that was written to shows in every object. */
export function expectNoPollution(): void {
  if ('x' in {} || Object.keys(Object.prototype).length > 0 || Object.keys(Array.prototype).length > 0) {
    throw new Error('A prototype was changed by a request.');
  }
}

type Fail = (why: string) => never;

function expectResource(
  access: AccessRow,
  status: number,
  body: Record<string, unknown>,
  added: readonly string[],
  fail: Fail,
): void {
  if (status !== access.status) fail('Another status than the documented one');
  const echoed = access.echoedKeys ?? [];
  const own = (one: object) => Object.keys(one).filter((key) => !echoed.includes(key));
  if (!isSame(own(body), [...access.keys, ...added])) fail('Other keys than the documented ones');
  if (!access.itemKeys) return;
  const data: unknown = body['data'];
  if (!Array.isArray(data)) fail('A list without data');
  for (const item of data as Record<string, unknown>[]) {
    if (!isSame(own(item), access.itemKeys)) fail('An item with other keys than the documented ones');
  }
}

function expectRefusal(row: Route, answer: RawAnswer, body: Record<string, unknown>, fail: Fail): void {
  if (isSendblue(row.path)) {
    const told = sendblueRefusal({ ...answer, body });
    if (told.status !== expectedOfSendblue(told.code).status) fail('Another status than its code has');
    return;
  }
  const got = refusal({ ...answer, body });
  const wanted = expected(got.code, got.param);
  if (got.status !== wanted.status || got.type !== wanted.type) fail('Another status or type than its code has');
  if (got.param !== undefined && !paramsOf(row).includes(got.param)) fail('A param that is no field of the route');
}

function paramsOf(row: Route): string[] {
  const inPath = row.path.split('/').flatMap((part) => (part.startsWith(':') ? [part.slice(1)] : []));
  const header = row.method === 'POST' ? ['Idempotency-Key'] : [];
  return [...Object.keys(row.body?.shape ?? {}), ...Object.keys(row.query?.shape ?? {}), ...inPath, ...header];
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return JSON.stringify([...one].sort()) === JSON.stringify([...other].sort());
}
