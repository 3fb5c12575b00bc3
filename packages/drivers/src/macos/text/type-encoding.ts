/** The names of types in a typed stream: a letter a value, with brackets around arrays and structures. */
import { Unreadable } from './unreadable.ts';

const NESTING_MAX = 16;
const ARRAY = /\[(\d+)/y;
const STRUCTURE = /\{[^={}]*=/y;

/** A letter, so many of one type, or one of each type. */
export type TypeEncoding =
  | string
  | { readonly count: number; readonly element: TypeEncoding }
  | { readonly fields: readonly TypeEncoding[] };

/** The types that a name such as `iI`, `[12c]` or `{point=ff}` stands for, one after another. */
export function parseTypes(name: string): readonly TypeEncoding[] {
  const types: TypeEncoding[] = [];
  let at = 0;
  while (at < name.length) {
    const { type, end } = parseType(name, at, 0);
    types.push(type);
    at = end;
  }
  return types;
}

interface Parsed {
  readonly type: TypeEncoding;
  /** Where the name goes on. */
  readonly end: number;
}

function parseType(name: string, at: number, depth: number): Parsed {
  if (depth > NESTING_MAX) throw new Unreadable('A type nests too deep.');
  const letter = name[at];
  if (letter === '[') return parseArray(name, at, depth);
  if (letter === '{') return parseStructure(name, at, depth);
  if (letter === undefined) throw new Unreadable('A type ends early.');
  return { type: letter, end: at + 1 };
}

function parseArray(name: string, at: number, depth: number): Parsed {
  ARRAY.lastIndex = at;
  const match = ARRAY.exec(name);
  if (match === null) throw new Unreadable('An array has no length.');
  const { type: element, end } = parseType(name, ARRAY.lastIndex, depth + 1);
  if (name[end] !== ']') throw new Unreadable('An array has no end.');
  return { type: { count: Number(match[1]), element }, end: end + 1 };
}

function parseStructure(name: string, at: number, depth: number): Parsed {
  STRUCTURE.lastIndex = at;
  if (!STRUCTURE.test(name)) throw new Unreadable('A structure has no fields.');
  const fields: TypeEncoding[] = [];
  let next = STRUCTURE.lastIndex;
  while (name[next] !== '}') {
    const { type, end } = parseType(name, next, depth + 1);
    fields.push(type);
    next = end;
  }
  return { type: { fields }, end: next + 1 };
}
