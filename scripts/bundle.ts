/**
 * `npm run bundle`: the server as plain JavaScript in a folder of its own, which is all that a container needs.
 *
 * `main.js` turns the compile cache on and loads the rest; what only some installations need (PostgreSQL's client, the
 * metrics) stays a file of its own, so that it is read only there. The native binary of SQLite is no JavaScript: its package
 * lies beside, as it is.
 */
import { cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { ROOT } from './run-step.ts';

/** What is started by its path: the program, and the thread that decodes sound. */
const ENTRIES = ['packages/server/src/main.ts', 'packages/server/src/files/audio/transcode-worker.ts'];
const DEFAULT_FOLDER = 'dist/server';
const NATIVE = 'better-sqlite3';
/**
 * Packages that the decoding thread loads from beside the bundle: WebAssembly that is read by its path, and codecs whose
 * terms (the GPL's of AAC, for one) ask for being kept apart and replaceable. Of each the files that are needed.
 */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  '@alexanderolsen/libsamplerate-js': ['package.json', 'LICENSE.md', 'dist/libsamplerate.js'],
  '@audio/decode': ['package.json', 'LICENSE', 'audio-decode.js', 'stream.js'],
  '@audio/decode-aac': ['package.json', 'LICENSE', 'decode-aac.js', 'alac.js', 'src'],
  '@audio/decode-mp3': ['package.json', 'LICENSE', 'decode-mp3.js'],
  '@audio/decode-mp4': ['package.json', 'LICENSE', 'decode-mp4.js'],
  '@evan/opus': ['package.json', 'LICENSE', 'lib.js', 'lib.mjs', 'wasm'],
  'audio-decode': ['package.json', 'LICENSE', 'audio-decode.js', 'stream.js'],
  'audio-type': ['package.json', 'license', 'audio-type.js'],
};
/** Not in the bundle, and not missed: colours for a terminal, and what other packages offer to use where it is there. */
const ABSENT = ['pino-pretty', 'pg-native', 'pg-cloudflare', 'cloudflare:sockets'];
/** Files that the code reads by a path beside its own. */
const READ_BY_PATH = ['packages/server/src/store/invariants.sql'];

/** Gives the folder with `main.js`. What was there before is removed. */
export async function bundle(folder = join(ROOT, DEFAULT_FOLDER)): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const build = await rolldown({
    input: ENTRIES.map((entry) => join(ROOT, entry)),
    platform: 'node',
    external: [NATIVE, ...Object.keys(BESIDE), ...ABSENT],
    cwd: ROOT,
  });
  const { output } = await build.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    minify: 'dce-only',
  });
  await build.close();
  const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  for (const path of READ_BY_PATH) cpSync(join(ROOT, path), join(folder, path.split('/').at(-1) ?? ''));
  copyNative(folder);
  copyBeside(folder);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), licenses(modules));
  return folder;
}

function manifest(): object {
  const { version, license }: { version: string; license: string } = JSON.parse(
    readFileSync(join(ROOT, 'packages/server/package.json'), 'utf8'),
  );
  return { name: 'trunkline-server', version, license, private: true, type: 'module', main: 'main.js' };
}

/** The package's JavaScript, and its binaries for this kind of machine, with both of Linux's C libraries. */
function copyNative(folder: string): void {
  const from = dirname(createRequire(import.meta.url).resolve(`${NATIVE}/package.json`));
  const to = join(folder, 'node_modules', NATIVE);
  for (const name of ['package.json', 'LICENSE', 'lib']) cpSync(join(from, name), join(to, name), { recursive: true });
  const binaries = readdirSync(join(from, 'prebuilds')).filter(
    (name) => name.startsWith(process.platform) && name.endsWith(`-${process.arch}.node`),
  );
  if (binaries.length === 0) throw new Error(`${NATIVE} has no binary for ${process.platform} on ${process.arch}.`);
  for (const name of binaries) cpSync(join(from, 'prebuilds', name), join(to, 'prebuilds', name));
}

function copyBeside(folder: string): void {
  for (const [name, files] of Object.entries(BESIDE)) {
    for (const file of files) {
      const path = join('node_modules', name, file);
      cpSync(join(ROOT, path), join(folder, path), { recursive: true });
    }
  }
}

/** Whose code is in the bundle, each with the terms that must go with it. */
function licenses(modules: readonly string[]): string {
  const packages = new Set(modules.flatMap((path) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const parts = [...packages].sort().map((path) => {
    const name = path.slice(path.lastIndexOf('/node_modules/') + '/node_modules/'.length);
    const file = globSync('{license,licence,LICENSE,LICENCE,License}*', { cwd: path })[0];
    const terms = file === undefined ? termsIn(path) : readFileSync(join(path, file), 'utf8').trim();
    return `${name}\n${'='.repeat(name.length)}\n${terms}\n`;
  });
  return parts.join('\n');
}

function termsIn(path: string): string {
  const file = join(path, 'package.json');
  const { license = 'No terms are stated.' }: { license?: string } = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : {};
  return license;
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  console.log(`The server is in ${await bundle(folder === undefined ? undefined : resolve(folder))}`);
}
