/** Requests made from a route's row: a good one of the access table, bent in one or several places. */
import fc from 'fast-check';
import { z } from 'zod';
import type { Fields, Route } from '../src/http/route.ts';
import { oddBytes, oddContentType, oddHeaderValue, oddJson, oddText, oddUrlPart } from './fuzz-values.ts';
import { type Credentials, credentialsOf, type RawRequest } from './matrix-ask.ts';
import type { Asked } from './matrix-row.ts';

/** Names that are no field of any route, and some that every object inherits. */
const STRANGE_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'toJSON', 'nobody', ''];
const EDITS_MAX = 3;

/** How one named value is bent: another value, a second one beside it, or none. `raw` is as it goes over the wire. */
interface Edit {
  readonly how: 'set' | 'add' | 'drop';
  readonly name: string;
  readonly raw: string;
}

export interface Bends {
  readonly fields: readonly Edit[];
  /** Instead of a body of fields. */
  readonly bytes: Buffer | null;
  readonly query: readonly Edit[];
  readonly part: string | null;
  readonly headers: readonly Edit[];
}

/** The ways in which requests of this row are bent. */
export function bendsOf(row: Route): fc.Arbitrary<Bends> {
  const none = fc.constant<Edit[]>([]);
  const fieldNames = row.body === null ? [] : Object.keys(row.body.shape);
  const queryNames = row.query === null ? [] : Object.keys(row.query.shape);
  return fc.record({
    fields: row.body === null ? none : edits(fieldNames, fieldValues(row.body)),
    bytes: row.rawBody
      ? oddBytes
      : row.hasForm
        ? sometimes(oddBytes, 3)
        : row.body === null
          ? fc.constant(null)
          : sometimes(oddBytes, 1),
    query: fc.oneof({ weight: queryNames.length > 0 ? 4 : 1, arbitrary: edits(queryNames, oddUrlPart) }, none),
    part: row.path.includes(':') ? sometimes(oddUrlPart, 4) : fc.constant(null),
    headers: fc.oneof({ weight: 1, arbitrary: headerEdits() }, { weight: 2, arbitrary: none }),
  });
}

export function bend(method: string, row: Route, asked: Asked, credentials: Credentials, bends: Bends): RawRequest {
  const fields = Object.entries(asked.body ?? {}).map(([name, value]): [string, string] => [
    name,
    JSON.stringify(value),
  ]);
  const text = `{${edited(fields, bends.fields)
    .map(([name, raw]) => `${JSON.stringify(name)}:${raw}`)
    .join(',')}}`;
  const query = edited(Object.entries(asked.query ?? {}).map(encoded), bends.query);
  const search = query.map(([name, raw]) => `${encodeURIComponent(name)}=${raw}`).join('&');
  const good = Object.entries(credentialsOf(asked.path, credentials));
  if (row.body !== null) good.push(['content-type', 'application/json']);
  if (asked.type !== undefined) good.push(['content-type', asked.type]);
  return {
    method,
    url: `${bentPath(row.path, asked.path, bends.part)}${search === '' ? '' : `?${search}`}`,
    headers: Object.fromEntries(edited(good, bends.headers)),
    ...(row.rawBody || row.hasForm ? { payload: bends.bytes ?? Buffer.from(asked.bytes ?? '') } : {}),
    ...(row.body === null ? {} : { payload: bends.bytes ?? text }),
  };
}

/** The row's fields know best what is nearly right: an enum's other values, and lists of them. */
function fieldValues(fields: Fields): fc.Arbitrary<string> {
  const words = Object.values(fields.shape).flatMap((field) => wordsOf(field));
  const nearly = words.length === 0 ? oddText : fc.constantFrom(...words);
  return fc.oneof(
    { weight: 4, arbitrary: oddJson },
    { weight: 1, arbitrary: nearly.map((word) => JSON.stringify(word)) },
    { weight: 1, arbitrary: fc.array(nearly, { maxLength: 4 }).map((list) => JSON.stringify(list)) },
    {
      weight: 1,
      arbitrary: fc.dictionary(fc.constantFrom(...STRANGE_NAMES, ...words, 'pace_ms'), oddJson).map(object),
    },
  );
}

function wordsOf(field: unknown): string[] {
  if (field instanceof z.ZodOptional) return wordsOf(field.unwrap());
  if (field instanceof z.ZodEnum) return field.options.map(String);
  if (field instanceof z.ZodObject) return Object.keys(field.shape);
  return [];
}

function object(entries: Readonly<Record<string, string>>): string {
  const parts = Object.entries(entries).map(([name, raw]) => `${JSON.stringify(name)}:${raw}`);
  return `{${parts.join(',')}}`;
}

/** So often, out of ten times. */
function sometimes<T>(arbitrary: fc.Arbitrary<T>, weight: number): fc.Arbitrary<T | null> {
  return fc.oneof({ weight, arbitrary }, { weight: 10 - weight, arbitrary: fc.constant(null) });
}

function edits(names: readonly string[], raw: fc.Arbitrary<string>): fc.Arbitrary<Edit[]> {
  const strange = fc.constantFrom(...STRANGE_NAMES, ...names.map((name) => `${name}[]`));
  const name = names.length === 0 ? strange : fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names) }, strange);
  const how = fc.constantFrom('set' as const, 'set' as const, 'add' as const, 'drop' as const);
  return fc.array(fc.record({ how, name, raw }), { maxLength: EDITS_MAX });
}

function headerEdits(): fc.Arbitrary<Edit[]> {
  const header = (name: string, raw: fc.Arbitrary<string>) =>
    fc.record({ how: fc.constantFrom('set' as const, 'drop' as const), name: fc.constant(name), raw });
  const any = [
    'idempotency-key',
    'last-event-id',
    'accept',
    'accept-encoding',
    'x-filename',
    'x-request-id',
    'origin',
    'sb-api-key-id',
    'sb-api-secret-key',
    'x-stainless-retry-count',
  ];
  return fc.array(
    fc.oneof(
      header('content-type', oddContentType),
      header(
        'authorization',
        fc.oneof(oddHeaderValue, fc.constantFrom('Bearer', 'Bearer  ', 'Basic eDp4', 'bearer x')),
      ),
      ...any.map((name) => header(name, oddHeaderValue)),
    ),
    { minLength: 1, maxLength: EDITS_MAX },
  );
}

function edited(entries: readonly [string, string][], all: readonly Edit[]): [string, string][] {
  let result = [...entries];
  for (const { how, name, raw } of all) {
    if (how !== 'add') result = result.filter(([one]) => one !== name);
    if (how !== 'drop') result.push([name, raw]);
  }
  return result;
}

function encoded([name, value]: [string, string]): [string, string] {
  return [name, encodeURIComponent(value)];
}

function bentPath(pattern: string, path: string, part: string | null): string {
  if (part === null) return path;
  const varies = pattern.split('/').map((one) => one.startsWith(':'));
  return path
    .split('/')
    .map((one, index) => (varies[index] ? part : one))
    .join('/');
}
