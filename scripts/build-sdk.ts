/**
 * `npm run build -w packages/sdk`: the SDK as it is published, in a folder of its own: ES modules, CommonJS, and types
 * for both. Inside the repository the sources are used as they are, so nothing here waits for a build.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { binOf, ROOT, runNode } from './run-step.ts';

const PACKAGE = join(ROOT, 'packages/sdk');
const ENTRIES = ['index', 'admin', 'schemas', 'sendblue'] as const;
const NODE_OLDEST = '>=20';

/** Gives the folder, which `npm publish` takes. What was there before is removed. */
export async function buildSdk(folder = join(PACKAGE, 'dist')): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await writeModules(folder, 'esm', 'js');
  await writeModules(folder, 'cjs', 'cjs');
  await writeTypes(folder);
  for (const path of [join(PACKAGE, 'README.md'), join(ROOT, 'LICENSE')])
    cpSync(path, join(folder, path.slice(path.lastIndexOf('/') + 1)));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
  return folder;
}

/** What the entries share is a file of its own, so that an error class is the same one in each of them. */
async function writeModules(folder: string, format: 'esm' | 'cjs', extension: string): Promise<void> {
  const build = await rolldown({
    input: Object.fromEntries(ENTRIES.map((name) => [name, join(PACKAGE, `src/${name}.ts`)])),
    platform: 'neutral',
    external: ['zod'],
    cwd: ROOT,
  });
  await build.write({
    dir: folder,
    format,
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `chunk-[name].${extension}`,
    minify: 'dce-only',
  });
  await build.close();
}

/** One file of declarations for each source, once for each kind of module: an import in them names its own kind. */
async function writeTypes(folder: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'trunkline-types-'));
  try {
    const config = join(work, 'tsconfig.json');
    const compilerOptions = {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      stripInternal: true,
      rootDir: join(PACKAGE, 'src'),
      outDir: work,
      typeRoots: [join(ROOT, 'node_modules/@types')],
    };
    const files = ENTRIES.map((name) => join(PACKAGE, `src/${name}.ts`));
    writeFileSync(
      config,
      JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, files, include: [] }),
    );
    const { ok, output } = await runNode([binOf('typescript', 'tsc'), '-p', config]);
    if (!ok) throw new Error(output);
    for (const [name, text] of reachableTypes(work)) {
      const importing = (extension: string) =>
        text.replaceAll(/(['"]\.\/[a-z-]+)\.(?:ts|js)(['"])/g, `$1.${extension}$2`);
      writeFileSync(join(folder, name), importing('js'));
      writeFileSync(join(folder, name.replace(/\.ts$/, '.cts')), importing('cjs'));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What an entry names, and what that names in turn. */
function reachableTypes(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    const text = readFileSync(join(folder, name), 'utf8');
    found.set(name, text);
    for (const [, next = ''] of text.matchAll(/['"]\.\/([a-z-]+)\.(?:ts|js)['"]/g)) visit(`${next}.d.ts`);
  };
  for (const entry of ENTRIES) visit(`${entry}.d.ts`);
  return found;
}

function manifest(): object {
  const source: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
  const { name, version, description, license, type, peerDependencies, peerDependenciesMeta } = source;
  const exports = ENTRIES.map((entry) => [
    entry === 'index' ? '.' : `./${entry}`,
    {
      import: { types: `./${entry}.d.ts`, default: `./${entry}.js` },
      require: { types: `./${entry}.d.cts`, default: `./${entry}.cjs` },
    },
  ]);
  return {
    name,
    version,
    description,
    license,
    type,
    keywords: ['imessage', 'sms', 'messaging', 'trunkline', 'messages.dev', 'sendblue'],
    sideEffects: false,
    engines: { node: NODE_OLDEST },
    main: './index.cjs',
    module: './index.js',
    types: './index.d.ts',
    exports: { ...Object.fromEntries(exports), './package.json': './package.json' },
    peerDependencies,
    peerDependenciesMeta,
  };
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  console.log(`The SDK is in ${await buildSdk(folder === undefined ? undefined : resolve(folder))}`);
}
