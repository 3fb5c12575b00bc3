import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkArchitecture, RULES } from './architecture.ts';
import { readSourceFacts, type SourceFile } from './source-facts.ts';

const ROOT = join(import.meta.dirname, '../../..');
const FOLDERS = ['packages', 'test', 'scripts', 'bench', 'examples'];
const NOT_OURS = ['node_modules', 'dist', 'results'];
const SERVER = 'packages/server/src';

describe('the repository', () => {
  const facts = repositoryFiles().map(readSourceFacts);

  it('is seen by the rules', () => {
    expect(facts.length).toBeGreaterThan(20);
    expect(facts.flatMap((file) => file.imports).length).toBeGreaterThan(20);
  });

  it.each(Object.entries(RULES))('%s', (_sentence, rule) => {
    expect(rule(facts)).toEqual([]);
  });
});

/** A planted violation: the files, and what the checker must say of them. */
interface Planted {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly says: RegExp;
}

const EXPORT = 'export const x = 1;\n';
const importing = (specifier: string): string => `import { x } from '${specifier}';\nexport const y = x;\n`;
// Written in two pieces, so that a search for the real thing does not stop here.
const skipping = (word: string): string => `import { it } from 'vitest';\nit.${word}('sends', () => {});\n`;

const PLANTED: readonly Planted[] = [
  {
    name: 'a driver that imports the server',
    files: { 'packages/drivers/src/a.ts': importing('@trunkline/server') },
    says: /a\.ts:1: drivers may not import @trunkline\/server/,
  },
  {
    name: 'the SDK that imports the drivers',
    files: { 'packages/sdk/src/a.ts': importing('@trunkline/drivers') },
    says: /sdk may not import/,
  },
  {
    name: 'a package that nobody decided on',
    files: { 'packages/queue/src/a.ts': EXPORT },
    says: /packages\/queue is not in the table/,
  },
  {
    name: 'a relative import into another package',
    files: { [`${SERVER}/lines/a.ts`]: importing('../../../drivers/src/a.ts'), 'packages/drivers/src/a.ts': EXPORT },
    says: /leaves the package/,
  },
  {
    name: 'product code that imports a test harness',
    files: { [`${SERVER}/lines/a.ts`]: importing('../../test/harness.ts'), 'packages/server/test/harness.ts': EXPORT },
    says: /leaves src/,
  },
  {
    name: 'product code that imports a suite',
    files: {
      'packages/drivers/src/index.ts': importing('./conformance.ts'),
      'packages/drivers/src/conformance.ts': EXPORT,
    },
    says: /is for tests only/,
  },
  {
    name: 'a specifier without .ts',
    files: { [`${SERVER}/lines/a.ts`]: importing('./b'), [`${SERVER}/lines/b.ts`]: EXPORT },
    says: /write the name with \.ts/,
  },
  ...direction('domain', 'store'),
  ...direction('wire', 'store'),
  ...direction('store', 'outbox'),
  ...direction('store', 'http'),
  ...direction('network', 'store'),
  ...direction('network', 'webhooks'),
  ...direction('outbox', 'http'),
  ...direction('outbox', 'webhooks'),
  ...direction('events', 'webhooks'),
  ...direction('lines', 'outbox'),
  ...direction('http/v1', 'http/sendblue'),
  ...direction('http/sendblue', 'http/v1'),
  ...direction('http/admin', 'http/simulator'),
  ...direction('http', 'http/v1', 'http may not import http/v1'),
  {
    name: 'main.ts that imports http',
    files: { [`${SERVER}/main.ts`]: importing('./http/app.ts'), [`${SERVER}/http/app.ts`]: EXPORT },
    says: /main\.ts may not import http/,
  },
  {
    name: 'a type that points upwards',
    files: {
      [`${SERVER}/store/a.ts`]: "import type { X } from '../http/b.ts';\nexport type Y = X;\n",
      [`${SERVER}/http/b.ts`]: 'export type X = 1;\n',
    },
    says: /store may not import http/,
  },
  {
    name: 'a dynamic import that points upwards',
    files: {
      [`${SERVER}/store/a.ts`]: "export const y = await import('../http/b.ts');\n",
      [`${SERVER}/http/b.ts`]: EXPORT,
    },
    says: /a\.ts:1: store may not import http/,
  },
  {
    name: 'a re-export that points upwards',
    files: { [`${SERVER}/store/a.ts`]: "export { x } from '../http/b.ts';\n", [`${SERVER}/http/b.ts`]: EXPORT },
    says: /store may not import http/,
  },
  {
    name: 'a type written as import(…) that points upwards',
    files: {
      [`${SERVER}/store/a.ts`]: "export type Y = import('../http/b.ts').X;\n",
      [`${SERVER}/http/b.ts`]: 'export type X = 1;\n',
    },
    says: /store may not import http/,
  },
  {
    name: 'the logger as a value below server.ts',
    files: { [`${SERVER}/outbox/a.ts`]: importing('../log.ts'), [`${SERVER}/log.ts`]: EXPORT },
    says: /outbox may not import log\.ts/,
  },
  {
    name: 'the domain that imports a driver',
    files: {
      [`${SERVER}/domain/a.ts`]: importing('@trunkline/drivers'),
      'packages/drivers/src/index.ts': "export { x } from './simulator/x.ts';\n",
      'packages/drivers/src/simulator/x.ts': EXPORT,
    },
    says: /x is not vocabulary/,
  },
  ...['better-sqlite3', 'pg', 'node:sqlite'].map((engine) => ({
    name: `${engine} outside its folder`,
    files: { [`${SERVER}/store/a.ts`]: `import engine from '${engine}';\nexport const y = engine;\n` },
    says: new RegExp(`${engine} is imported in .*dialects`),
  })),
  {
    name: 'kysely outside the store',
    files: { [`${SERVER}/outbox/a.ts`]: "import { sql } from 'kysely';\nexport const y = sql;\n" },
    says: /kysely is imported in/,
  },
  ...['undici', 'node:dns', 'node:dns/promises', 'ipaddr.js'].map((name) => ({
    name: `${name} beside the guard`,
    files: { [`${SERVER}/webhooks/a.ts`]: `import { x } from '${name}';\nexport const y = x;\n` },
    says: new RegExp(`${name} is imported in .*network`),
  })),
  {
    name: 'a driver that imports an engine',
    files: { 'packages/drivers/src/a.ts': "import pg from 'pg';\nexport const y = pg;\n" },
    says: /pg is imported in/,
  },
  {
    name: 'a pure layer that opens a file',
    files: { [`${SERVER}/domain/a.ts`]: "import { readFileSync } from 'node:fs';\nexport const y = readFileSync;\n" },
    says: /node:fs in a pure layer/,
  },
  ...[
    'export const y = process.env;',
    "export const y = process['env'];",
    'export const { env } = process;',
    "import { env } from 'node:process';\nexport const y = env;",
  ].map((text) => ({
    name: `the environment read by ${text.split('\n')[0]}`,
    files: { [`${SERVER}/store/a.ts`]: `${text}\n` },
    says: /reads the environment/,
  })),
  ...['Date.now()', 'Math.random()', 'new Date()', 'Date()', '[1].map(Date.now)', 'performance.now()'].map((text) => ({
    name: `${text} in product code`,
    files: { [`${SERVER}/store/a.ts`]: `export const y = ${text};\n` },
    says: /a\.ts:1: calls/,
  })),
  {
    name: 'a cycle of three files',
    files: {
      [`${SERVER}/store/a.ts`]: importing('./b.ts'),
      [`${SERVER}/store/b.ts`]: importing('./c.ts'),
      [`${SERVER}/store/c.ts`]: "import './a.ts';\nexport const x = 1;\n",
    },
    says: /a cycle: .*a\.ts -> .*b\.ts -> .*c\.ts -> .*a\.ts/,
  },
  {
    name: 'a folder that is not in the table',
    files: { [`${SERVER}/services/a.ts`]: EXPORT },
    says: /the folder services is not in the table/,
  },
  ...['utils', 'helpers', 'common', 'shared', 'core', 'lib', 'misc', 'types'].flatMap((word) => [
    { name: `a file ${word}.ts`, files: { [`${SERVER}/store/${word}.ts`]: EXPORT }, says: /says nothing/ },
    { name: `a folder ${word}`, files: { [`test/${word}/a.ts`]: EXPORT }, says: /says nothing/ },
  ]),
  { name: 'a name in camelCase', files: { [`${SERVER}/store/writeBatch.ts`]: EXPORT }, says: /kebab-case/ },
  { name: 'a name in snake_case', files: { 'scripts/write_batch.ts': EXPORT }, says: /kebab-case/ },
  { name: 'a file of 401 lines', files: { [`${SERVER}/store/a.ts`]: '// one\n'.repeat(401) }, says: /401 lines/ },
  {
    name: 'a function of 71 lines',
    files: { [`${SERVER}/store/a.ts`]: `export function long(): void {\n${'  // one\n'.repeat(69)}}\n` },
    says: /a\.ts:1: long has 71 lines/,
  },
  {
    name: 'an arrow function of 71 lines',
    files: { 'scripts/a.ts': `export const long = () => {\n${'  // one\n'.repeat(69)}};\n` },
    says: /long has 71 lines/,
  },
  {
    name: 'a method of 71 lines',
    files: { [`${SERVER}/store/a.ts`]: `export class A {\n  long() {\n${'    // one\n'.repeat(69)}  }\n}\n` },
    says: /a\.ts:2: long has 71 lines/,
  },
  ...['export default 1;', 'const x = 1;\nexport { x as default };', "export { default } from './b.ts';"].map(
    (text) => ({
      name: `a default export: ${text.split('\n').at(-1)}`,
      files: { [`${SERVER}/store/a.ts`]: `${text}\n`, [`${SERVER}/store/b.ts`]: EXPORT },
      says: /a default export/,
    }),
  ),
  ...['skip', 'only', 'todo', 'concurrent.skip', 'skipIf(true)', 'skip.each([1])'].map((word) => ({
    name: `a test with ${word}`,
    files: { 'test/a.test.ts': skipping(word) },
    says: /a\.test\.ts:2: it\.\w+/,
  })),
  {
    name: 'a test skipped by its options',
    files: { 'test/a.test.ts': `import { it } from 'vitest';\nit('sends', { ${'skip'}: true }, () => {});\n` },
    says: /the option skip of it/,
  },
  ...[`export const y: ${'any'} = 1;`, `export const y = 1 as ${'any'};`].map((text) => ({
    name: `the type any: ${text}`,
    files: { 'test/a.ts': `${text}\n` },
    says: /the type any/,
  })),
  { name: 'a non-null !', files: { 'test/a.ts': 'export const y = [1][0]!;\n' }, says: /a non-null !/ },
  { name: 'a definite !', files: { 'test/a.ts': 'export class A {\n  x!: number;\n}\n' }, says: /a non-null !/ },
  {
    name: 'a silenced check',
    files: { 'test/a.ts': `// @ts-${'ignore'}: later\nexport const y = 1;\n` },
    says: /a silenced check/,
  },
  { name: 'a test file out of sight', files: { 'bench/a.test.ts': EXPORT }, says: /does not look here/ },
];

describe('each rule can fail', () => {
  it.each(PLANTED.map((one) => [one.name, one] as const))('%s is refused', (_name, planted) => {
    const found = checkArchitecture(sources(planted.files));
    expect(
      found.filter((one) => planted.says.test(one)),
      found.join('\n'),
    ).not.toEqual([]);
  });

  it.each(Object.entries(RULES))('by a planted violation: %s', (_sentence, rule) => {
    const refused = PLANTED.filter((one) => rule(sources(one.files).map(readSourceFacts)).length > 0);
    expect(refused.length).toBeGreaterThan(0);
  });
});

describe('what the rules leave alone', () => {
  it.each<[string, Record<string, string>]>([
    [
      'an import downwards',
      { [`${SERVER}/http/a.ts`]: importing('../outbox/b.ts'), [`${SERVER}/outbox/b.ts`]: EXPORT },
    ],
    [
      'a capability named in the table',
      { [`${SERVER}/webhooks/a.ts`]: importing('../leases/b.ts'), [`${SERVER}/leases/b.ts`]: EXPORT },
    ],
    [
      'server.ts, which imports all',
      { [`${SERVER}/server.ts`]: importing('./http/app.ts'), [`${SERVER}/http/app.ts`]: EXPORT },
    ],
    [
      'a word of the vocabulary in the domain',
      {
        [`${SERVER}/domain/a.ts`]: importing('@trunkline/drivers'),
        'packages/drivers/src/index.ts': "export { x } from './handle.ts';\n",
        'packages/drivers/src/handle.ts': EXPORT,
      },
    ],
    ['a date made from a number', { [`${SERVER}/store/a.ts`]: 'export const y = new Date(0);\n' }],
    ['the clock itself', { [`${SERVER}/clock.ts`]: 'export const y = Date.now();\n' }],
    ['a function of 70 lines', { [`${SERVER}/store/a.ts`]: `export const y = () => {\n${'//\n'.repeat(68)}};\n` }],
    [
      'a cycle closed by a type only',
      {
        [`${SERVER}/store/a.ts`]: importing('./b.ts'),
        [`${SERVER}/store/b.ts`]: "import type { Y } from './a.ts';\nexport const x = 1;\nexport type Z = Y;\n",
      },
    ],
    [
      'words in comments and strings',
      { [`${SERVER}/store/a.ts`]: `// Date.now() any!\nexport const y = "as ${'any'}";\n` },
    ],
  ])('%s', (_name, files) => {
    expect(checkArchitecture(sources(files))).toEqual([]);
  });
});

function direction(from: string, to: string, says?: string): Planted[] {
  const up = '../'.repeat(from.split('/').length);
  const files = { [`${SERVER}/${from}/a.ts`]: importing(`${up}${to}/b.ts`), [`${SERVER}/${to}/b.ts`]: EXPORT };
  return [{ name: `${from} that imports ${to}`, files, says: new RegExp(says ?? `: ${from} may not import ${to}`) }];
}

function sources(files: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(files).map(([path, text]) => ({ path, text }));
}

function repositoryFiles(): SourceFile[] {
  const rootFiles = readdirSync(ROOT).filter((name) => name.endsWith('.ts'));
  const paths = [
    ...rootFiles.map((name) => join(ROOT, name)),
    ...FOLDERS.flatMap((name) => filesUnder(join(ROOT, name))),
  ];
  return paths
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => ({ path: relative(ROOT, path).split(sep).join('/'), text: readFileSync(path, 'utf8') }));
}

function filesUnder(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      if (NOT_OURS.includes(entry.name)) return [];
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path) : [path];
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
