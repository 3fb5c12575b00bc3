import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const MANIFESTS = ['package.json', ...globSync('packages/*/package.json', { cwd: ROOT })].sort();
const DECISIONS = readdirSync(join(ROOT, 'docs/decisions')).sort();
const DOCUMENTS = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).sort();
const RECORD_WORDS_MAX = 600;

describe('docs/dependencies.md', () => {
  const listed = sections(read('docs/dependencies.md'));

  it.each(MANIFESTS)('lists what %s depends on, with a sentence each, and nothing more', (path) => {
    const entries = listed.get(path) ?? [];
    expect(entries.map((one) => one.name)).toEqual(dependenciesOf(path));
    for (const { name, sentence } of entries) expect(sentence, name).toMatch(/^.{30,}\.$/);
  });

  it('has no section for a package.json that does not exist', () => {
    expect([...listed.keys()].filter((path) => !MANIFESTS.includes(path))).toEqual([]);
  });

  it('would notice a dependency too many and one too few', () => {
    const text = '## Here: `a/package.json`\n\n- `one`: because.\n- `two`: because.\n';
    expect(
      sections(text)
        .get('a/package.json')
        ?.map((one) => one.name),
    ).toEqual(['one', 'two']);
  });
});

const WALK_FILES_MAX = 20;
const WALK_LINES_MAX = 250;

describe('docs/decisions', () => {
  it('is numbered without a gap', () => {
    expect(DECISIONS.map((name) => Number(name.slice(0, 4)))).toEqual(DECISIONS.map((_, index) => index + 1));
  });

  it.each(DECISIONS)('%s is one page with context, decision, consequences and measurement', (name) => {
    const text = read(`docs/decisions/${name}`);
    expect(name).toMatch(/^\d{4}-[a-z0-9-]+\.md$/);
    expect(text.match(/^#+ .*$/gm)?.slice(1)).toEqual([
      '## Context',
      '## Decision',
      '## Consequences',
      '## Measurement',
    ]);
    expect(text.split(/\s+/).length).toBeLessThanOrEqual(RECORD_WORDS_MAX);
  });
});

describe('docs/glossary.md', () => {
  const words = [...read('docs/glossary.md').matchAll(/^\| ([^|]+) \| (.+) \|$/gm)]
    .map(([, word = '', meaning = '']) => ({ word, meaning }))
    .filter(({ word }) => word !== 'word');

  it('has each word once, in order, with a sentence', () => {
    expect(words.map((one) => one.word)).toEqual([...new Set(words.map((one) => one.word))].sort());
    for (const { word, meaning } of words) expect(meaning, word).toMatch(/\.$/);
  });
});

describe('AGENTS.md', () => {
  it('names only files and folders that exist', () => {
    const named = [...read('AGENTS.md').matchAll(/`((?:packages|test|docs|scripts|bench)\/[^`\s]*)`/g)];
    expect(named.length).toBeGreaterThan(10);
    expect(named.map(([, path = '']) => path).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('names every script of package.json', () => {
    const scripts = Object.keys(record(manifest('package.json')['scripts']));
    const text = read('AGENTS.md');
    expect(scripts.filter((name) => !text.includes(`npm ${name}\``) && !text.includes(`npm run ${name}\``))).toEqual(
      [],
    );
  });
});

describe('every document', () => {
  it.each(DOCUMENTS)('%s has only links that lead somewhere', (path) => {
    const targets = [...read(path).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target);
    const local = targets.filter((target) => !/^[a-z]+:/.test(target));
    expect(local.filter((target) => !existsSync(join(ROOT, dirname(path), target)))).toEqual([]);
  });
});

interface Entry {
  readonly name: string;
  readonly sentence: string;
}

/** The entries under each heading that names a `package.json`. */
function sections(text: string): Map<string, Entry[]> {
  const found = new Map<string, Entry[]>();
  for (const part of text.split(/^## /m)) {
    const path = /^[^\n]*`([^`\n]*package\.json)`/.exec(part)?.[1];
    if (path === undefined) continue;
    const entries = [...part.matchAll(/^- `([^`]+)`: (.*)$/gm)];
    found.set(
      path,
      entries.map(([, name = '', sentence = '']) => ({ name, sentence })),
    );
  }
  return found;
}

/** Sorted; our own packages are no dependency that needs a reason. */
function dependenciesOf(path: string): string[] {
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];
  const ours = new Set(MANIFESTS.map((one) => manifest(one)['name']));
  return kinds
    .flatMap((kind) => Object.keys(record(manifest(path)[kind])))
    .filter((name) => !ours.has(name))
    .sort();
}

function manifest(path: string): Record<string, unknown> {
  return record(JSON.parse(read(path)));
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

describe('ARCHITECTURE.md', () => {
  const section = /## The walk of a send\n([\s\S]*?)\n## /.exec(read('ARCHITECTURE.md'))?.[1] ?? '';
  const files = [...new Set([...section.matchAll(/\]\((packages\/[^)]+\.ts)\)/g)].map(([, path = '']) => path))];

  it('shows the walk of a send in at most 20 files of at most 250 lines', () => {
    expect(files.length).toBeGreaterThan(8);
    expect(files.length).toBeLessThanOrEqual(WALK_FILES_MAX);
    const long = files.filter((path) => read(path).split('\n').length > WALK_LINES_MAX);
    expect(long).toEqual([]);
  });
});
