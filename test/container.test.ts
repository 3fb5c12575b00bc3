/**
 * What a container runs: the bundle is built and started with nothing beside it, and the Dockerfile's steps are held
 * against the repository. No container engine is needed for any of it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, matchesGlob } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { SETTINGS } from '../packages/server/src/config.ts';
import { createTranscoder } from '../packages/server/src/files/audio/transcoder.ts';
import { hasFfmpeg, makeByFfmpeg, makeWav } from '../packages/server/test/audio-media.ts';
import { createTestDatabase } from '../packages/server/test/postgres-database.ts';
import { ROOT, runNode } from '../scripts/run-step.ts';
import { create, KEY, LINE } from './client.ts';

const PHONE = '+15550109999';
const SECRET_KEY = 'c2VjcmV0IGtleSBvZiB0aGUgdGVzdHMsIDMyIGJ5dGU=';
const WITHIN_MS = 30_000;
const POLL_MS = 20;

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Instructions with their arguments; lines that go on are joined. */
const INSTRUCTIONS = read('Dockerfile')
  .replaceAll(/^\s*#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => ({ name: line.split(' ', 1)[0] ?? '', value: line.slice(line.indexOf(' ') + 1).trim() }));
const valuesOf = (name: string) => INSTRUCTIONS.filter((one) => one.name === name).map((one) => one.value);
const commandIn = (text = ''): string[] => JSON.parse(/\[.*\]/.exec(text)?.[0] ?? '[]');

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-bundle-'));
  const { ok, output } = await runNode([join(ROOT, 'scripts/bundle.ts'), join(folder, 'app')]);
  if (!ok) throw new Error(output);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the bundle', () => {
  it.each(['sqlite', 'postgres'] as const)('runs alone in an empty folder on %s', async (engine) => {
    const home = join(folder, engine);
    mkdirSync(home);
    const database = engine === 'postgres' ? await createTestDatabase(inject('postgresUrl')) : null;
    const port = await freePort();
    const server = start(home, {
      TRUNKLINE_PORT: String(port),
      TRUNKLINE_DATA_DIR: join(home, 'data'),
      TRUNKLINE_BOOTSTRAP_API_KEY: KEY,
      TRUNKLINE_SECRET_KEY: SECRET_KEY,
      TRUNKLINE_METRICS: 'on',
      ...(database ? { TRUNKLINE_DATABASE_URL: database.url } : {}),
    });
    const address = `http://127.0.0.1:${port}`;
    try {
      await until(server, 'the server to be ready', async () => (await fetch(`${address}/readyz`)).ok);
      expect(await healthcheck(port)).toBe(0);
      await create(address, '/v1/messages', { from: LINE, to: PHONE, text: 'From the bundle' }, 'id');
      const path = `/simulator/v1/phones/${encodeURIComponent(PHONE)}/messages`;
      await until(server, 'the message to arrive', async () => {
        const response = await fetch(`${address}${path}`, { headers: { authorization: `Bearer ${KEY}` } });
        return (await response.text()).includes('From the bundle');
      });
      expect(await (await fetch(`${address}/metrics`)).text()).toContain('trunkline_sends_accepted_total 1');
      server.process.kill('SIGTERM');
      expect(await server.ended).toBe(0);
      expect(await healthcheck(port)).toBe(1);
    } finally {
      server.process.kill('SIGKILL');
      await server.ended;
      await database?.drop();
    }
  });

  it('makes voice memos in a thread of its own, with the packages that lie beside it', async () => {
    const files = [makeWav({ rate: 44_100, seconds: 1 })];
    if (hasFfmpeg('voice memos of mp3 and m4a in the bundle')) {
      const sine = 'sine=frequency=440:duration=1';
      files.push(makeByFfmpeg(sine, 'mp3'), makeByFfmpeg(sine, 'm4a'), makeByFfmpeg(sine, 'm4a', '-c:a', 'alac'));
    }
    const worker = pathToFileURL(join(folder, 'app/transcode-worker.js'));
    const transcoder = createTranscoder({}, worker);
    for (const file of files) expect(await transcoder.transcode(file)).toMatchObject({ state: 'transcoded' });
    await transcoder.close();
  });

  it('names whose code it holds, with the terms', () => {
    const text = readFileSync(join(folder, 'app/THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['fastify', 'kysely', 'pg', 'pino', 'prom-client', 'undici', 'zod']) {
      expect(text).toMatch(new RegExp(`^${name}\n=+\n.{10}`, 'm'));
    }
    expect(text).not.toContain('No terms are stated');
  });

  it('has beside it what is read by a path', () => {
    expect(readFileSync(join(folder, 'app/invariants.sql'), 'utf8')).toBe(
      read('packages/server/src/store/invariants.sql'),
    );
  });
});

describe('the Dockerfile', () => {
  it('takes Node of the major that the tests run with, without a registry’s name', () => {
    const images = valuesOf('FROM').map((value) => value.split(' ')[0]);
    expect(new Set(images)).toEqual(new Set([`node:${process.versions.node.split('.')[0]}-slim`]));
    expect(read('Dockerfile')).not.toMatch(/https?:\/\/(?!127\.0\.0\.1)|--registry/);
  });

  it('copies what exists and is sent to the builder, and of the build no more than the bundle', () => {
    const copies = valuesOf('COPY').map((value) => value.split(' '));
    for (const words of copies) {
      const sources = words.slice(0, -1).filter((word) => !word.startsWith('--'));
      if (words[0] === '--from=build') expect(sources).toEqual(['/src/dist/server']);
      else
        for (const source of sources)
          expect([source, existsSync(join(ROOT, source)), isSent(source)]).toEqual([source, true, true]);
    }
    expect(read('scripts/bundle.ts')).toContain("'dist/server'");
    expect(valuesOf('WORKDIR')).toEqual(['/src', '/app']);
  });

  it('sends no data, no secret and nothing built to the builder', () => {
    for (const path of [
      'data',
      '.git',
      'secrets',
      '.env',
      'node_modules',
      'packages/server/node_modules',
      'dist',
      'compose.yaml',
    ]) {
      expect([path, isSent(path)]).toEqual([path, false]);
    }
  });

  it('runs scripts that exist', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'));
    const named = valuesOf('RUN').flatMap((value) =>
      [...value.matchAll(/npm run (\S+)/g)].map(([, name = '']) => name),
    );
    expect(named).toEqual(['bundle']);
    for (const name of named) expect(scripts).toHaveProperty(name);
  });

  it('ends as a user without rights, and with a program that is there', () => {
    const names = INSTRUCTIONS.map((one) => one.name);
    expect(valuesOf('USER')).toEqual(['node']);
    expect(names.lastIndexOf('USER')).toBeGreaterThan(names.lastIndexOf('RUN'));
    expect(names.lastIndexOf('USER')).toBeGreaterThan(names.lastIndexOf('COPY'));
    expect(commandIn(valuesOf('CMD').at(-1))[0]).toBe('node');
    expect(existsSync(join(folder, 'app', commandIn(valuesOf('CMD').at(-1))[1] ?? 'none'))).toBe(true);
  });

  it('keeps data in a volume that the settings name', () => {
    expect(valuesOf('ENV')[0]).toContain('TRUNKLINE_DATA_DIR=/data');
    expect(valuesOf('ENV')[0]).toContain('TRUNKLINE_HOST=0.0.0.0');
    expect(valuesOf('VOLUME')).toEqual(['/data']);
    expect(valuesOf('RUN').at(-1)).toMatch(/\/data && chown node:node \/data$/);
  });
});

describe('compose.yaml', () => {
  const text = read('compose.yaml');

  it('sets only settings that exist, and secrets by file', () => {
    const names = [...text.matchAll(/^ +(TRUNKLINE_\w+): (.*)$/gm)].map(([, name = '', value = '']) => ({
      name,
      value,
    }));
    expect(names.length).toBeGreaterThan(2);
    for (const { name, value } of names) {
      expect(Object.keys(SETTINGS)).toContain(name.replace(/_FILE$/, ''));
      if (name.endsWith('_FILE')) expect(value).toMatch(/^\/run\/secrets\/\w+$/);
    }
    const used = new Set([...text.matchAll(/\/run\/secrets\/(\w+)/g)].map(([, name]) => name));
    const declared = new Set([...text.matchAll(/^ +file: \.\/secrets\/(\w+)$/gm)].map(([, name]) => name));
    expect(used).toEqual(declared);
  });

  it('listens on this machine alone and takes images by their major', () => {
    expect([...text.matchAll(/^ +- "(.*):8080:8080"$/gm)].map(([, host]) => host)).toEqual(['127.0.0.1']);
    expect([...text.matchAll(/image: (\S+)/g)].map(([, image]) => image)).toEqual(['postgres:17']);
  });
});

interface Running {
  readonly process: ChildProcess;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  lastWords(): string;
}

function start(home: string, environment: Readonly<Record<string, string>>): Running {
  const child = spawn(process.execPath, [join(folder, 'app/main.js')], { cwd: home, env: environment });
  let words = '';
  const listen = (chunk: Buffer): void => {
    words += chunk.toString('utf8');
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { process: child, ended, lastWords: () => words };
}

/** Runs what the image asks, as it stands there. */
async function healthcheck(port: number): Promise<number | null> {
  const [, ...words] = commandIn(valuesOf('HEALTHCHECK')[0]);
  const child = spawn(process.execPath, words, { env: { TRUNKLINE_PORT: String(port) }, stdio: 'ignore' });
  return new Promise((resolve) => child.once('close', resolve));
}

async function until(server: Running, what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  while (!(await check().catch(() => false))) {
    if (performance.now() > deadline || server.process.exitCode !== null) {
      throw new Error(`Waited for ${what}. Its last words:\n${server.lastWords()}`);
    }
    await sleep(POLL_MS);
  }
}

/** Whether `.dockerignore` lets a path through: the last rule that matches it decides. */
function isSent(path: string): boolean {
  const rules = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const parts = path.replace(/^\.\//, '').split('/');
  const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  let sent = true;
  for (const rule of rules) {
    const pattern = undotted(rule.replace(/^!/, ''));
    if (paths.some((one) => matchesGlob(undotted(one), pattern))) sent = rule.startsWith('!');
  }
  return sent;
}

/** To a builder a star is also what begins with a dot. */
function undotted(path: string): string {
  return path.replaceAll(/(^|\/)\./g, '$1_');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('The system gave no free port.');
  return address.port;
}
