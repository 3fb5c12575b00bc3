/** `trunkline bridge` as a process of its own, on a Mac that is a fake, with everything else as its owner would have it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FakeMac } from '../packages/drivers/test/fake-mac/mac.ts';

const ROOT = join(import.meta.dirname, '..');
const COMMAND = join(ROOT, 'packages/cli/bin/trunkline.js');
const PROBE = join(import.meta.dirname, 'module-probe.ts');
const LAST_WORDS_MAX = 4_000;

export interface AgentProcess {
  readonly pid: number;
  /** Resolves with the exit code when it is gone; null where it was killed. */
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  /** The files that it has loaded so far, as paths below the repository. */
  loaded(): Promise<readonly string[]>;
  words(): string;
}

export interface AgentOptions {
  readonly mac: FakeMac;
  readonly server: string;
  readonly token: string;
  /** The certificate that it believes, besides those that everybody does. */
  readonly certificate?: string;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The state folder stays when the process goes, as on a Mac. */
export async function startAgentProcess({ mac, server, token, certificate }: AgentOptions): Promise<AgentProcess> {
  const state = join(mac.folder, 'state');
  await mkdir(state, { recursive: true, mode: 0o700 });
  const places = { chatDb: mac.chatDb, osascript: mac.osascript, open: mac.program('open') };
  await writeFile(join(state, 'places.json'), JSON.stringify(places));
  const tokenFile = join(mac.folder, 'token');
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
  const trusted = join(mac.folder, 'certificate.pem');
  if (certificate !== undefined) await writeFile(trusted, certificate);
  const words = ['bridge', '--server', server, '--token-file', tokenFile, '--state-dir', state];
  const child = fork(COMMAND, words, {
    execArgv: [`--import=${PROBE}`],
    env: {
      PATH: process.env['PATH'],
      HOME: mac.home,
      ...(certificate === undefined ? {} : { NODE_EXTRA_CA_CERTS: trusted }),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(child);
  let said = '';
  const listen = (chunk: Buffer): void => {
    said = (said + chunk.toString('utf8')).slice(-LAST_WORDS_MAX);
  };
  child.stdout?.on('data', listen);
  child.stderr?.on('data', listen);
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  void ended.then(() => running.delete(child));
  return {
    pid: child.pid ?? 0,
    ended,
    kill: (signal) => void child.kill(signal),
    words: () => said,
    async loaded() {
      child.send('loaded');
      const [urls]: unknown[] = await once(child, 'message');
      return Array.isArray(urls) ? urls.map((url) => fileURLToPath(String(url)).slice(ROOT.length + 1)) : [];
    },
  };
}
