/** Zod's schemas as the document's: JSON Schema without what only zod has to say. */
import { z } from 'zod';
import type { Schema } from './open-api.ts';

/** Where a schema stands that others refer to. */
export const SCHEMAS_PATH = '#/components/schemas/';

/** What a request may hold, before the server has read anything into it. */
export function requestSchema(schema: z.ZodType): Schema {
  return tidied(z.toJSONSchema(schema, { io: 'input' }));
}

/** Schemas by name, which refer to one another by their names. */
export function namedSchemas(schemas: Readonly<Record<string, z.ZodType>>): Record<string, Schema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: converted } = z.toJSONSchema(registry, { io: 'output', uri: (id) => `${SCHEMAS_PATH}${id}` });
  return Object.fromEntries(Object.keys(schemas).map((name) => [name, tidied({ ...converted[name] })]));
}

const NEVER_SHOWN: ReadonlySet<string> = new Set(['$schema', '$id']);

function tidied(schema: Readonly<Record<string, unknown>>): Schema {
  const entries = Object.entries(schema)
    .filter(([key, value]) => !NEVER_SHOWN.has(key) && !isNoise(schema, key, value))
    .map(([key, value]): [string, unknown] => [key, tidiedPart(key, value)]);
  return orNull(Object.fromEntries(entries));
}

/** Every integer has zod's bounds, and answers may get more keys in later versions. */
function isNoise(schema: Readonly<Record<string, unknown>>, key: string, value: unknown): boolean {
  if (key === 'additionalProperties') return value !== true;
  if (key === 'pattern') return schema['type'] === 'integer';
  return value === Number.MAX_SAFE_INTEGER || value === Number.MIN_SAFE_INTEGER;
}

function tidiedPart(key: string, value: unknown): unknown {
  if (key === 'properties' && isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, isRecord(one) ? tidied(one) : one]));
  }
  if (Array.isArray(value)) return value.map((one: unknown) => (isRecord(one) ? tidied(one) : one));
  return key === 'items' && isRecord(value) ? tidied(value) : value;
}

/** `anyOf` of one plain type and null is that type, or null. */
function orNull(schema: Schema): Schema {
  const { anyOf, ...rest } = schema;
  const [one, other, ...more] = anyOf ?? [];
  if (!one || other?.type !== 'null' || more.length > 0 || typeof one.type !== 'string') return schema;
  const values = one.enum === undefined ? {} : { enum: [...one.enum, null] };
  return { ...one, ...rest, type: [one.type, 'null'], ...values };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
