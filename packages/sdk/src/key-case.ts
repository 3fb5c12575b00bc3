/** The wire says `line_id`, the client `lineId`. Keys change at this edge only, at every depth; values never do. */

type CamelCase<Key> = Key extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : Key;

/** A type of the wire as the client gives it: `CamelCaseKeys<{line_id: string}>` is `{lineId: string}`. */
export type CamelCaseKeys<T> = T extends readonly (infer Item)[]
  ? CamelCaseKeys<Item>[]
  : T extends object
    ? { [Key in keyof T as CamelCase<Key>]: CamelCaseKeys<T[Key]> }
    : T;

export function toCamelCaseKeys(value: unknown): unknown {
  return changeKeys(value, (key) => key.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase()));
}

export function toSnakeCaseKeys(value: unknown): unknown {
  return changeKeys(value, toSnakeCase);
}

export function toSnakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function changeKeys(value: unknown, change: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => changeKeys(item, change));
  if (typeof value !== 'object' || value === null) return value;
  // By `fromEntries` and not by assignment: a key called `__proto__` stays a key.
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [change(key), changeKeys(inner, change)]));
}
