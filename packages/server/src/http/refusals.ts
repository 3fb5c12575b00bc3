/** The refusals that a route can give: its own, and those that follow from its row. */
import { z } from 'zod';
import type { ErrorCode } from '../domain/errors.ts';
import type { Fields, Route } from './route.ts';

/** Given before a route is found, or by the connection itself: any request may get them. */
export const REFUSALS_OF_ANY_REQUEST = [
  'bad_request',
  'route_not_found',
  'method_not_allowed',
  'uri_too_long',
  'headers_too_large',
  'request_timeout',
] as const satisfies readonly ErrorCode[];

export function refusalsOf(row: Route): readonly ErrorCode[] {
  if (!row.isServed) return [...KEY_REFUSALS, 'not_implemented', 'overloaded', 'internal_error'];
  const codes: ErrorCode[] = [
    ...KEY_REFUSALS,
    ...(row.method === 'GET' || row.rawBody || row.hasForm ? [] : JSON_REFUSALS),
    ...(row.method === 'POST' ? REPEAT_REFUSALS : []),
    ...(hasRequired(row) ? (['missing_required_parameter'] as const) : []),
    ...(takesValues(row) ? (['invalid_parameter_value'] as const) : []),
    ...row.refusals,
    'overloaded',
    'internal_error',
  ];
  return [...new Set(codes)];
}

const KEY_REFUSALS = ['missing_api_key', 'invalid_api_key', 'rate_limit_exceeded', 'insufficient_scope'] as const;
/** A body is read wherever one may come, also where the row takes nothing from it. */
const JSON_REFUSALS = ['payload_too_large', 'unsupported_media_type', 'invalid_json'] as const;
const REPEAT_REFUSALS = ['idempotency_key_reused', 'idempotency_key_in_progress'] as const;

function hasRequired({ query, body, anyOf }: Route): boolean {
  const fields = [...Object.values(query?.shape ?? {}), ...Object.values(body?.shape ?? {})];
  return anyOf.length > 0 || fields.some((field) => !isOptional(field));
}

/** A field, a part of the path, or the Idempotency-Key. */
function takesValues({ query, body, method }: Route): boolean {
  return query !== null || body !== null || method === 'POST';
}

/** As the request's parser takes it: a field is optional where nothing will do for it. */
function isOptional(field: Fields['shape'][string]): boolean {
  return field instanceof z.ZodType && field.safeParse(undefined).success;
}
