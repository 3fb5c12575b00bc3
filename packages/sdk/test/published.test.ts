/** The package as people get it: packed, installed from the tarball, and used by what they use it with. */
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { binOf, ROOT, runNode } from '../../../scripts/run-step.ts';
import { recordLeftOut } from '../../../test/left-out.ts';
import { createClient } from '../src/index.ts';
import { findOlderNode } from './older-nodes.ts';
import { KEY, LINE, PHONE, type RealServer, startRealServer } from './real-server.ts';

const run = promisify(execFile);
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const PACKED_MAX_BYTES = 100_000;
const PAGE = `<!doctype html><title>SDK</title>
<script type="module">import * as sdk from '/index.js'; globalThis.sdk = sdk;</script>`;
const SLOW_MS = 180_000;

let server: RealServer;
let folder: string;
let installed: string;
let packed: { readonly size: number; readonly files: readonly { readonly path: string }[] };

beforeAll(async () => {
  server = await startRealServer();
  folder = mkdtempSync(join(tmpdir(), 'trunkline-published-'));
  const dist = join(folder, 'dist');
  const built = await runNode([join(ROOT, 'scripts/build-sdk.ts'), dist]);
  if (!built.ok) throw new Error(built.output);
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: dist });
  [packed] = JSON.parse(stdout);
  const app = join(folder, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{"name": "app", "private": true}');
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  const words = ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', join(folder, tarball)];
  await run('npm', words, { cwd: app });
  installed = join(app, 'node_modules/@trunkline/sdk');
}, SLOW_MS);
afterAll(async () => {
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
});

describe('the tarball', () => {
  it('holds the code, the types, the terms and the README, and nothing else', () => {
    const names = packed.files.map((file) => file.path);
    expect(names).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    for (const entry of ['index', 'admin', 'schemas', 'sendblue']) {
      expect(names).toEqual(expect.arrayContaining([`${entry}.js`, `${entry}.cjs`, `${entry}.d.ts`, `${entry}.d.cts`]));
    }
    expect(
      names.filter(
        (name) => !/^[\w-]+(?:\.js|\.cjs|\.d\.ts|\.d\.cts)$|^(?:LICENSE|README\.md|package\.json)$/.test(name),
      ),
    ).toEqual([]);
    expect(packed.size).toBeLessThan(PACKED_MAX_BYTES);
  });

  it('names no place of the machine that made it, and needs nothing but Zod, for its schemas', () => {
    const texts = readdirSync(installed).map((name) => [name, readFileSync(join(installed, name), 'utf8')] as const);
    expect(texts.filter(([, text]) => text.includes(ROOT) || text.includes(folder)).map(([name]) => name)).toEqual([]);
    const imported = texts.flatMap(([name, text]) =>
      /\.c?js$/.test(name)
        ? [...text.matchAll(/(?:from |require\(|import\()["']([^."'][^"']*)["']/g)].map(
            ([, specifier]) => `${name} ${specifier}`,
          )
        : [],
    );
    expect(imported.sort()).toEqual(['schemas.cjs zod', 'schemas.js zod']);
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(Object.keys(manifest)).not.toContain('dependencies');
    expect(manifest.peerDependenciesMeta).toEqual({ zod: { optional: true } });
  });
});

const USE = `
async function use({ sdk, admin, sendblue }) {
  const client = sdk.createClient();
  const [line] = (await client.listLines()).data;
  const events = client.events({ events: ['message.sent'] });
  const next = events.next();
  const isOpen = async () => /^trunkline_event_streams_open 1$/m.test(await (await fetch(process.env.TRUNKLINE_URL + '/metrics')).text());
  while (!(await isOpen()));
  const item = await client.sendMessage({ from: line.handle, to: '${PHONE}', text: 'From ' + process.version });
  const { value } = await next;
  await events.return();
  const settled = await client.waitForOutbox(item.id);
  const delivery = await sdk.buildWebhookDelivery('message.sent', value.data, 'whsec_c2VjcmV0');
  const event = await sdk.verifyWebhook(delivery, 'whsec_c2VjcmV0');
  const operator = admin.createAdminClient({ baseUrl: process.env.TRUNKLINE_URL, apiKey: 'sk_live_wrong' });
  const error = await operator.listKeys().catch((thrown) => thrown);
  const isTyped = error instanceof sdk.AuthenticationError && typeof sendblue.createSendblueClient === 'function';
  console.log(JSON.stringify({ text: event.data.text, status: settled.status, isTyped, node: process.version }));
}`;
const PROGRAMS = {
  'use.cjs': `const entry = (name) => require('@trunkline/sdk' + name);
use({ sdk: entry(''), admin: entry('/admin'), sendblue: entry('/sendblue') });${USE}`,
  'use.mjs': `import * as sdk from '@trunkline/sdk';
import * as admin from '@trunkline/sdk/admin';
import * as sendblue from '@trunkline/sdk/sendblue';
await use({ sdk, admin, sendblue });${USE}`,
};

describe('the installed package', () => {
  it.each([20, 22, 24])(
    'runs in Node %s, from an ES module and from CommonJS',
    async (major) => {
      const node = major === 24 ? { path: process.execPath } : await findOlderNode(major);
      if ('reason' in node) {
        expect(recordLeftOut(`the SDK in Node ${major}`, node.reason).reason).not.toBe('');
        return;
      }
      for (const [name, text] of Object.entries(PROGRAMS)) {
        const path = join(folder, 'app', name);
        writeFileSync(path, text);
        const env = { PATH: process.env['PATH'] ?? '', TRUNKLINE_URL: server.url, TRUNKLINE_API_KEY: KEY };
        const { stdout, stderr } = await run(node.path, [path], { env });
        expect(JSON.parse(stdout), stderr).toMatchObject({ status: 'sent', isTyped: true });
        expect(stdout).toContain(`From v${major}.`);
        expect(stderr).toBe('');
      }
    },
    SLOW_MS,
  );

  it('has schemas where Zod is installed, and needs it for nothing else', async () => {
    const programs = ['require("@trunkline/sdk/schemas")', 'await import("@trunkline/sdk/schemas")'];
    const texts = programs.map((load) => `const s = ${load}; console.log(s.LineSchema.safeParse({}).success)`);
    const runAll = () =>
      Promise.all(
        texts.map(async (text, index) => {
          const path = join(folder, 'app', index === 0 ? 'schemas.cjs' : 'schemas.mjs');
          writeFileSync(path, text);
          return (await run(process.execPath, [path])).stdout.trim();
        }),
      );
    await expect(runAll()).rejects.toThrow(/zod/);
    symlinkSync(join(ROOT, 'node_modules/zod'), join(folder, 'app/node_modules/zod'));
    expect(await runAll()).toEqual(['false', 'false']);
  });

  it.each([
    ['an ES module for Node', 'use.mts', { module: 'nodenext', types: ['node'] }],
    ['CommonJS for Node', 'use.cts', { module: 'nodenext', types: ['node'] }],
    [
      'a page that is bundled',
      'use.ts',
      {
        module: 'esnext',
        moduleResolution: 'bundler',
        lib: ['es2022', 'dom', 'dom.iterable', 'dom.asynciterable'],
        types: [],
      },
    ],
  ])('has types for %s', async (_name, file, options) => {
    const app = join(folder, 'app');
    const text = `import { createClient, type Message, verifyWebhook } from '@trunkline/sdk';
import { createAdminClient } from '@trunkline/sdk/admin';
import { createSendblueClient } from '@trunkline/sdk/sendblue';
export async function use(request: Request): Promise<Message[]> {
  const client = createClient({ apiKey: 'sk_live_1', baseUrl: 'http://localhost' });
  const event = await verifyWebhook(request, 'secret');
  if (event.event === 'reaction.added') await client.getMessage({ id: event.data.messageId });
  for await (const one of client.events()) if (one.event === 'typing.started') console.log(one.data.isTyping);
  await createAdminClient({ baseUrl: 'http://localhost' }).simulator.clearFaults({ line: '+15550100001' });
  await createSendblueClient().messages.getStatus({ handle: 'A' });
  return (await client.listMessages({ from: 'a', to: 'b' })).data;
}
`;
    writeFileSync(join(app, file), text);
    const compilerOptions = {
      target: 'es2022',
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      typeRoots: [join(ROOT, 'node_modules/@types')],
      ...options,
    };
    const config = join(app, `tsconfig.${file}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions, files: [file] }));
    const { ok, output } = await runNode([binOf('typescript', 'tsc'), '-p', config]);
    expect(output).toBe('');
    expect(ok).toBe(true);
  });

  it(
    'sends, listens and verifies in a browser, from another origin',
    async () => {
      const executablePath = BROWSERS.find((path) => existsSync(path));
      if (executablePath === undefined) {
        expect(recordLeftOut('the SDK in a browser', 'there is no Chromium').reason).not.toBe('');
        return;
      }
      const pages = createServer((request, response) => {
        const name = (request.url ?? '/').slice(1);
        const isModule = readdirSync(installed).includes(name);
        response.setHeader('content-type', isModule ? 'text/javascript' : 'text/html');
        response.end(isModule ? readFileSync(join(installed, name)) : PAGE);
      });
      await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
      const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
      try {
        const page = await browser.newPage();
        await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
        await page.waitForFunction(() => 'sdk' in globalThis);
        const outcome: unknown = await page.evaluate(inBrowser, {
          apiKey: KEY,
          baseUrl: server.url,
          from: LINE,
          to: PHONE,
        });
        expect(outcome).toEqual({
          noKey: 'missing_api_key',
          texts: ['From a page'],
          status: 'sent',
          verified: 'message.sent',
          refused: 'AuthorizationError contact_has_not_messaged req_',
        });
      } finally {
        await browser.close();
        pages.close();
      }
      const [newest] = (
        await createClient({ apiKey: KEY, baseUrl: server.url }).listMessages({ from: LINE, to: PHONE })
      ).data;
      expect(newest?.text).toBe('From a page');
    },
    SLOW_MS,
  );
});

/** Runs in the page: all that it needs is handed to it. */
async function inBrowser(options: { apiKey: string; baseUrl: string; from: string; to: string }): Promise<unknown> {
  const { apiKey, baseUrl, from, to } = options;
  const sdk: typeof import('../src/index.ts') = Reflect.get(globalThis, 'sdk');
  const codeOf = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      return error instanceof sdk.MessagesError ? error.code : String(error);
    }
  };
  const client = sdk.createClient({ apiKey, baseUrl });
  const texts: unknown[] = [];
  const listening = (async () => {
    for await (const event of client.events({ from, events: ['message.sent'] })) {
      texts.push(event.event === 'message.sent' && event.data.text);
      return event;
    }
    return null;
  })();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const item = await client.sendMessage({ from, to, text: 'From a page' });
  const event = await listening;
  const { status } = await client.waitForOutbox(item.id);
  if (event?.event !== 'message.sent') throw new Error('The stream ended before its event.');
  const delivery = await sdk.buildWebhookDelivery('message.sent', event.data, 'whsec_c2VjcmV0');
  const verified = await sdk.verifyWebhook(delivery, 'whsec_c2VjcmV0');
  const refused = await client.sendMessage({ from, to: '+15550107777', text: 'x' }).then(
    () => 'sent',
    (error: unknown) =>
      error instanceof sdk.MessagesError
        ? `${error.name} ${error.code} ${error.requestId?.slice(0, 4)}`
        : String(error),
  );
  return { noKey: codeOf(() => sdk.createClient()), texts, status, verified: verified.event, refused };
}
