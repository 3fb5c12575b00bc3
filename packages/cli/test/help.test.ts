/** What the command says of itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUser, runTrunkline, startTrunkline, type User } from './command-process.ts';

const SCREEN_LINES = 24;
const SCREEN_COLUMNS = 80;
const COMMANDS =
  'serve backup bridge doctor login completion keys lines devices send react typing read chats messages reactions receipts files outbox explain events listen webhooks deliveries simulate sandbox'.split(
    ' ',
  );
/** What the commands of an agent may load. */
const AGENT_PACKAGES = [
  'better-sqlite3',
  'bindings',
  'commander',
  'file-uri-to-path',
  'packages/cli',
  'packages/drivers',
];
/** Loaded before the command: writes the address of every module to stderr as it is loaded. */
const LIST_MODULES = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({
    load(url, context, next) {
      process.stderr.write('loaded ' + url + '\\n');
      return next(url, context);
    },
  });
`)}`;

let user: User;
beforeAll(async () => {
  user = await createUser();
});
afterAll(() => user.remove());

describe('trunkline --help', () => {
  it('fits on a screen of 24 lines of 80 columns', async () => {
    const { code, stdout } = await runTrunkline(user, ['--help']);
    const lines = stdout.trimEnd().split('\n');
    expect(code).toBe(0);
    expect(lines.length).toBeLessThan(SCREEN_LINES);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(SCREEN_COLUMNS);
  });

  it('names what is there and nothing else', async () => {
    const { stdout } = await runTrunkline(user, ['--help']);
    // Related commands share a line: `chats, messages   list ...`.
    const lines = stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}(\w+(?:, \w+)*) {2}/gm);
    const named = [...lines].flatMap(([, names = '']) => names.split(', '));
    expect(named).toEqual(COMMANDS);
  });

  it.each(['backup', 'doctor', 'completion', 'receipts', 'deliveries'])(
    'suggests %s too, which shares a line',
    async (name) => {
      const slip = await runTrunkline(user, [`${name}x`]);
      expect(slip).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(`Did you mean ${name}?`) });
    },
  );

  it('tells the version of the package', async () => {
    expect((await runTrunkline(user, ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('a mistake in the words', () => {
  it.each([
    [[]],
    [['nosuch']],
    [['keys']],
    [['keys', 'nosuch']],
    [['send']],
    [['send', 'hello']],
    [['send', 'hello', '--to', '+15550109999', '--nosuch']],
    [['send', '--to', '+15550109999']],
    [['send', 'hello', '--to', '+15550109999', '--audio', 'memo.wav']],
    [['send', '--to', '+15550109999', '--audio', 'memo.wav', '--file', 'hike.png']],
    [['send', '-', '--to', '+15550109999', '--file', '-']],
    [['send', '--from', '+15550100001', '--to', '+15550109999', '--file', 'nosuch.png']],
    [['send', '--from', '+15550100001', '--to', '+15550109999', '--file', '/']],
    [['react', 'heart', '--to', '+15550109999', '--message', 'msg_1']],
    [['react', 'love', '--to', '+15550109999']],
    [['typing']],
    [['read']],
    [['receipts']],
    [['reactions']],
    [['outbox']],
    [['chats', '--limit', '0']],
    [['files']],
    [['files', 'upload']],
    [['files', 'upload', 'nosuch.png']],
    [['files', 'get', 'file_1', '--json']],
    [['simulate', 'type']],
    [['simulate', 'react', 'love', '--phone', '+15550109999']],
    [['simulate', 'memo', 'memo.wav', '--phone', '+15550109999', '--transcription-after-ms', '5']],
    [['messages', '--to', '+15550109999', '--limit', 'many']],
    [['lines', 'set', '+15550100001', '--active', 'perhaps']],
    [['devices', 'add', 'Office Mac']],
    [['devices', 'get']],
    [['explain', 'wh_1']],
    [['webhooks']],
    [['webhooks', 'create', '--url', 'http://127.0.0.1:9/']],
    [['webhooks', 'rotate', 'wh_1', '--overlap-hours', '169']],
    [['deliveries', 'list', '--state', 'lost']],
    [['deliveries', 'list', '--since', 'yesterday']],
    [['deliveries', 'resend']],
    [['deliveries', 'resend', 'dlv_1', '--webhook', 'wh_1']],
    [['deliveries', 'resend', 'dlv_1', '--state', 'all']],
    [['deliveries', 'resend', '--webhook', 'wh_1']],
    [['completion', 'tcsh']],
    [['bridge', 'nosuch']],
    [['bridge', 'install', '--server', 'https://example.org']],
    [['bridge', 'install', '--driver', 'pigeon']],
    [['bridge', 'record']],
    [['bridge', 'record', 'record.json', '--rows', '0']],
    [['doctor', 'everything']],
    [['serve', '--prot', '80']],
    [['listen', '--forward-to', 'here']],
  ])('%j ends with 2, on stderr', async (words) => {
    const environment = { ...user.environment, TRUNKLINE_API_KEY: 'sk_live_x' };
    const { code, stdout, stderr } = await runTrunkline({ ...user, environment }, words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toBe('');
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});

describe('what a command loads', () => {
  /** The packages from which modules were loaded, ours by their folder. */
  async function packagesOf(words: readonly string[]): Promise<string[]> {
    const one = startTrunkline(user, words, ['--import', LIST_MODULES]);
    one.child.stdin?.end('hello');
    const { stderr } = await one.ended;
    const urls = stderr.split('\n').filter((line) => line.startsWith('loaded file:'));
    expect(urls.length).toBeGreaterThan(3);
    const names = urls.map((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)|(packages\/[^/]+)/.exec(url));
    return [...new Set(names.map((match) => match?.[1] ?? match?.[2] ?? ''))].sort();
  }

  it.each([
    [['--help']],
    [['keys', 'list']],
    [['lines', 'list']],
    [['devices', 'list']],
    [['send', '-', '--to', '+15550109999']],
    [['messages', '--to', '+15550109999']],
    [['chats']],
    [['react', 'love', '--to', '+15550109999', '--message', 'msg_1']],
    [['typing', '--to', '+15550109999']],
    [['reactions', 'msg_1']],
    [['receipts', '--to', '+15550109999']],
    [['files', 'upload', '-']],
    [['files', 'get', 'file_1']],
    [['outbox', 'obx_1']],
    [['events']],
    [['explain', 'obx_1']],
    [['webhooks', 'list']],
    [['deliveries', 'list']],
    [['listen', '--forward-to', 'http://127.0.0.1:9/']],
    [['simulate', 'phone', '+15550109999']],
  ])('%j is the command itself and its parser, and nothing of the server', async (words) => {
    user.environment['TRUNKLINE_URL'] = 'http://127.0.0.1:9';
    user.environment['TRUNKLINE_API_KEY'] = 'sk_live_x';
    expect((await packagesOf(words)).filter((name) => name !== '')).toEqual(['commander', 'packages/cli']);
  });

  it.each([[['doctor']], [['bridge', 'status']], [['bridge', 'record', 'record.json']], [['bridge', 'uninstall']]])(
    '%j is nothing of the server either, on whatever computer an agent runs',
    async (words) => {
      const packages = (await packagesOf(words)).filter((name) => name !== '');
      expect(packages.filter((name) => !AGENT_PACKAGES.includes(name))).toEqual([]);
    },
  );

  it('is the table of settings, but no server, for a completion script', async () => {
    const packages = await packagesOf(['completion', 'bash']);
    expect(packages).toContain('packages/server');
    for (const name of ['fastify', 'pg', 'better-sqlite3', 'kysely', 'undici']) expect(packages).not.toContain(name);
  });
});

describe('an old Node', () => {
  it('hands the command to the Node that is installed here', async () => {
    const old = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } })`;
    const one = startTrunkline(user, ['--version'], ['--import', old]);
    expect(await one.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});
