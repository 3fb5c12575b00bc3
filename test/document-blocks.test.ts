/** The code in the documents is compiled, parsed and run, so that whoever copies it gets what it promises. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandTree } from '../packages/cli/test/command-page.ts';
import { KEY, type RealServer, startRealServer } from '../packages/sdk/test/real-server.ts';
import { binOf, ROOT, runNode } from '../scripts/run-step.ts';
import { type Block, blocksOf, commandsIn, readBlocks } from './document-blocks.ts';
import { recordLeftOut } from './left-out.ts';

type Command = Awaited<ReturnType<typeof commandTree>>;

const BLOCKS = readBlocks();
const of = (...languages: readonly string[]): [string, Block][] =>
  BLOCKS.filter((block) => languages.includes(block.language)).map((block) => [block.place, block]);
/** A stream of events goes on for ever. */
const STREAM_SECONDS = 2;

/** What the blocks of a document take for granted: a client, and frameworks that are not installed here. */
const PRELUDE = `
declare const client: import('@trunkline/sdk').MessagesClient;
declare module 'express' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  interface Request extends IncomingMessage { body: Buffer }
  interface Response extends ServerResponse { sendStatus(status: number): void }
  type Handler = (request: Request, response: Response, next: () => void) => unknown;
  function express(): { post(path: string, ...handlers: Handler[]): void };
  namespace express { function raw(options: { type: string }): Handler }
  export default express;
}
declare module 'hono' {
  interface Context { req: { raw: Request }; env: { WEBHOOK_SECRET: string }; json(body: unknown): Response }
  class Hono { post(path: string, handler: (context: Context) => Promise<Response>): void }
  export { Hono };
}
`;

it('every document is read, and a block within a list too', () => {
  expect(new Set(BLOCKS.map((block) => block.path)).size).toBeGreaterThan(3);
  expect(of('ts').length).toBeGreaterThan(10);
  expect(blocksOf('a.md', 'x\n\n1. y\n   ```sh\n   ls\n   ```\n')).toEqual([
    { place: 'a.md:4', path: 'a.md', language: 'sh', text: 'ls\n' },
  ]);
});

describe('TypeScript and JavaScript', () => {
  let folder: string;
  beforeAll(() => {
    // Below the repository, so that the packages are found as they are by whoever installed them.
    const cache = join(ROOT, 'node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'documents-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const compile = async (blocks: readonly Block[], extension: 'mts' | 'mjs'): Promise<string> => {
    const files = blocks.map((block) => {
      const name = `${block.place.replaceAll(/[^\w]/g, '-')}.${extension}`;
      writeFileSync(join(folder, name), `${block.text}\nexport {};\n`);
      return name;
    });
    writeFileSync(join(folder, 'prelude.d.ts'), PRELUDE);
    const isScript = extension === 'mjs';
    const compilerOptions = {
      noUnusedLocals: false,
      noUnusedParameters: false,
      typeRoots: [join(ROOT, 'node_modules/@types')],
      ...(isScript && { allowJs: true, checkJs: true, noImplicitAny: false }),
    };
    const config = join(folder, `tsconfig.${extension}.json`);
    const project = {
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions,
      files: ['prelude.d.ts', ...files],
      include: [],
    };
    writeFileSync(config, JSON.stringify(project));
    return (await runNode([binOf('typescript', 'tsc'), '-p', config])).output;
  };

  it('compiles against the packages as they are', async () => {
    expect(
      await compile(
        BLOCKS.filter((block) => block.language === 'ts'),
        'mts',
      ),
    ).toBe('');
    expect(
      await compile(
        BLOCKS.filter((block) => block.language === 'js'),
        'mjs',
      ),
    ).toBe('');
  });

  it('would not, if a method were gone', async () => {
    const wrong = { place: 'wrong:1', path: 'wrong', language: 'ts', text: 'await client.sendLetter();' };
    expect(await compile([wrong], 'mts')).toMatch(/wrong-1.*sendLetter/s);
  });
});

describe('shell', () => {
  let program: Command;
  beforeAll(async () => {
    program = await commandTree();
  });

  it.each(of('sh', 'bash'))('%s can be parsed, and says only what the command knows', (_place, block) => {
    execFileSync('bash', ['-n'], { input: block.text });
    expect(commandsIn(block.text).flatMap((words) => strangersIn(program, words))).toEqual([]);
  });

  it('would notice a command and an option that are not there', () => {
    const script = "npx trunkline sendd --to 1\ntrunkline send --too '+1 2' | cat --x\n trunkline keys create --name a";
    expect(commandsIn(script).map((words) => strangersIn(program, words))).toEqual([['sendd'], ['--too'], []]);
  });
});

describe('JSON', () => {
  const broken = (blocks: readonly Block[]) =>
    blocks.filter((block) => block.language === 'json' && !isJson(block.text)).map((block) => block.place);

  it('can be parsed, and what cannot is noticed', () => {
    const planted = blocksOf('a.md', '```json\n{"a": 1,}\n```\n\n```json\n{"a": 1}\n```\n');
    expect(broken(planted)).toEqual(['a.md:1']);
    expect(broken(BLOCKS)).toEqual([]);
  });
});

describe('the requests of README.md', () => {
  let server: RealServer;
  beforeAll(async () => {
    server = await startRealServer();
  });
  afterAll(() => server.remove());

  it('are answered by a server that was just started, in their order', async () => {
    const scripts = BLOCKS.filter((block) => block.path === 'README.md' && /^curl /m.test(block.text));
    expect(scripts.length).toBeGreaterThan(3);
    const hasCurl = await promisify(execFile)('curl', ['--version']).then(
      () => true,
      () => false,
    );
    if (!hasCurl) {
      expect(recordLeftOut('the requests of README.md', 'there is no curl').reason).not.toBe('');
      return;
    }
    for (const { place, text } of scripts) {
      const { code, output } = await runScript(text.replaceAll('http://127.0.0.1:8080', server.url));
      // 28 is the time that was over: the stream was open until then.
      expect(code, `${place}\n${output}`).toBe(text.includes('curl -N') ? 28 : 0);
      expect(output, place).not.toContain('"error":{');
      expect(output, place).not.toBe('');
    }
  });
});

/** With curl's own failures as those of the script, and an end for what goes on. */
async function runScript(text: string): Promise<{ code: number; output: string }> {
  const head = `set -e\ncurl() { command curl --silent --fail-with-body --max-time ${STREAM_SECONDS} "$@"; }\n`;
  const env = { PATH: process.env['PATH'] ?? '', TRUNKLINE_API_KEY: KEY };
  try {
    const { stdout } = await promisify(execFile)('bash', ['-c', head + text], { env });
    return { code: 0, output: stdout };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !('stdout' in error)) throw error;
    return { code: Number(error.code), output: String(error.stdout) };
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** The words that name no command and no option. */
function strangersIn(program: Command, words: readonly string[]): string[] {
  let command = program;
  const rest = [...words];
  while (command.commands.length > 0 && rest[0] !== undefined && !rest[0].startsWith('-')) {
    const name = rest.shift();
    const child = command.commands.find((one) => one.name() === name);
    if (!child) return [String(name)];
    command = child;
  }
  const known = new Set([
    '--help',
    '--version',
    ...[...command.options, ...program.options].map((option) => option.long),
  ]);
  return rest
    .map((word) => word.split('=')[0] ?? '')
    .filter((word) => word.startsWith('--') && word !== '--' && !known.has(word));
}
