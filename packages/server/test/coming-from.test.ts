/** The guides for those who come from elsewhere: each point is held by tests that exist, and none is left out. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import SendblueAPI from 'sendblue';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../src/config.ts';
import { UNSERVED } from '../src/http/sendblue/unserved.ts';
import { GUIDES, type Proofs } from './coming-from-proofs.ts';

const ROOT = join(import.meta.dirname, '../../..');

interface Point {
  readonly title: string;
  readonly text: string;
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Each item of a list that begins with bold words, down to the next item or the end of its list. */
function pointsOf(guide: string): Point[] {
  const found = guide.matchAll(/(?<=^|\n)- \*\*([^*]+)\.\*\* (.*?)(?=\n- |\n\n|\n?$)/gs);
  return [...found].map(([, title = '', text = '']) => ({ title, text: text.replaceAll(/\s+/g, ' ') }));
}

const codeOf = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** Whether a file has a test of that name, written out. */
function hasTest(file: string, title: string): boolean {
  const path = join(ROOT, 'packages', file);
  if (!existsSync(path)) return false;
  // Of `it(`, or of the second call of `it.each(…)(`.
  return ["'", '"', '`'].some((quote) =>
    new RegExp(`(?:\\bit|\\))\\(\\s*${quote}${escaped(title)}${quote},`).test(readFileSync(path, 'utf8')),
  );
}
const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

describe.each<[string, Proofs]>(Object.entries(GUIDES))('docs/guides/%s.md', (name, proofs) => {
  const points = pointsOf(read(`docs/guides/${name}.md`));

  it('has a proof of every point, and no proof of what it does not say', () => {
    const titles = points.map(({ title }) => title);
    expect(titles.length).toBeGreaterThan(15);
    expect(titles).toEqual(Object.keys(proofs));
  });

  it.each(Object.entries(proofs))('has tests of %s', (_title, tests) => {
    expect(tests.length).toBeGreaterThan(0);
    for (const [file, title] of tests)
      expect({ file, title, exists: hasTest(file, title) }).toMatchObject({ exists: true });
  });

  it('names settings that exist', () => {
    const named = points.flatMap(({ text }) => codeOf(text)).filter((code) => code.startsWith('TRUNKLINE_'));
    expect(named.length).toBeGreaterThan(0);
    expect(Object.keys(SETTINGS)).toEqual(expect.arrayContaining(named));
  });
});

describe('docs/guides/coming-from-sendblue.md', () => {
  const guide = read('docs/guides/coming-from-sendblue.md');

  it('lists what is not served, all of it and nothing else', () => {
    const [, section = ''] = /\n## What is not served\n(.*)$/s.exec(guide) ?? [];
    const listed = codeOf(section.replaceAll(/\s+/g, ' ')).filter((code) => /^[A-Z]+ \//.test(code));
    expect(listed.sort()).toEqual(UNSERVED.map(([method, path]) => `${method} ${path}`).sort());
  });

  it("names methods and errors that Sendblue's client has", () => {
    const client = new SendblueAPI({ apiKey: 'key_1', apiSecret: 'sk_live_1' });
    const code = pointsOf(guide).flatMap(({ text }) => codeOf(text));
    const methods = code
      .map((one) => one.split('.'))
      .filter((parts) => parts.length === 2 && /^\w+$/.test(parts[1] ?? ''));
    const resources: Readonly<Record<string, unknown>> = { ...client };
    const known = methods.filter(([resource = '']) => resource in resources);
    expect(known.length).toBeGreaterThan(6);
    for (const [resource = '', method = ''] of known) {
      expect(typeof Reflect.get(Object(resources[resource]), method), `${resource}.${method}`).toBe('function');
    }
    const errors = code.filter((one) => one.endsWith('Error'));
    expect(errors.length).toBeGreaterThan(2);
    for (const name of errors) expect(typeof Reflect.get(SendblueAPI, name), name).toBe('function');
  });
});

describe('the readers of this file', () => {
  it('would notice a test that is gone, and find a point over several lines', () => {
    expect(hasTest('server/test/sendblue.test.ts', 'gives its own errors')).toBe(true);
    expect(hasTest('server/test/sendblue.test.ts', 'gives its own error')).toBe(false);
    expect(hasTest('server/test/nowhere.test.ts', 'gives its own errors')).toBe(false);
    expect(pointsOf('# x\n\n- **One.** First\n  and more.\n- **Two.** Second.\n\nText.\n')).toEqual([
      { title: 'One', text: 'First and more.' },
      { title: 'Two', text: 'Second.' },
    ]);
  });
});
