/** `docs/reference/limits.md` against the limits as they are. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HTTP_LIMITS } from '../src/http/http-limits.ts';

const page = readFileSync(new URL('../../../docs/reference/limits.md', import.meta.url), 'utf8');

/** The numbers that the code itself keeps to itself, by the file and the constant's name. */
const NAMED = [...page.matchAll(/\| `([A-Za-z0-9_]+)` in `([a-z0-9/.-]+)` \| ([0-9,]+) \|/g)].map(
  ([, name = '', file = '', value = '']) => ({ name, file, value }),
);

function constantsOf(file: string): ReadonlyMap<string, number> {
  const text = readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8');
  // Constants of their own, and the fields of a table of limits.
  const found = text.matchAll(
    /^(?:(?:export )?const ([A-Z0-9_]+) = | {2}([a-zA-Z]+): )([0-9_]+(?: \* [0-9_]+)*)[;,]/gm,
  );
  return new Map([...found].map(([, name, field = '', product = '']) => [name ?? field, productOf(product)]));
}

function productOf(text: string): number {
  return text.split(' * ').reduce((product, factor) => product * Number(factor.replaceAll('_', '')), 1);
}

describe('docs/reference/limits.md', () => {
  it('has every limit of the HTTP server with its value, and no other', () => {
    const rows = [...page.matchAll(/^\| `([A-Za-z]+)` \| ([0-9,]+) \|/gm)].map(([, name = '', value = '']) => [
      name,
      Number(value.replaceAll(',', '')),
    ]);
    expect(rows).toEqual(Object.entries(HTTP_LIMITS));
  });

  it.each(NAMED)('says of $name in $file what the code says', ({ name, file, value }) => {
    expect(constantsOf(file).get(name)).toBe(Number(value.replaceAll(',', '')));
  });

  it('names limits of the code beside those of the HTTP server', () => {
    expect(NAMED.length).toBeGreaterThan(15);
  });
});
