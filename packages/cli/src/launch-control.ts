/** launchd's own command, for the one agent that is ours. */
import type { BridgeHost } from './bridge-host.ts';
import { EXIT, Failure } from './failure.ts';
import { LABEL } from './launch-agent.ts';

const LAUNCHCTL = '/bin/launchctl';
const TIMEOUT_MS = 15_000;
/** launchd ends a program after it has said that it will, and takes nothing of that name meanwhile. */
const TRIES_MAX = 20;
const TRY_AGAIN_MS = 500;

export interface LaunchControl {
  isLoaded(): Promise<boolean>;
  /** Starts what the file says. */
  load(plist: string): Promise<void>;
  /** Resolves when the program has ended. */
  unload(): Promise<void>;
}

export function createLaunchControl({ run, uid }: BridgeHost, wait: (ms: number) => Promise<void>): LaunchControl {
  const domain = `gui/${uid}`;
  const service = `${domain}/${LABEL}`;
  const call = (...words: string[]) => run(LAUNCHCTL, words, { timeoutMs: TIMEOUT_MS });
  const isLoaded = async () => (await call('print', service)).code === 0;
  return {
    isLoaded,
    async load(plist) {
      // Somebody may have disabled it; that outlives its file.
      await call('enable', service);
      let said = '';
      for (let tries = 0; tries < TRIES_MAX; tries += 1) {
        const { code, stderr, end } = await call('bootstrap', domain, plist);
        if (code === 0) return;
        said = stderr.trim() || end;
        await wait(TRY_AGAIN_MS);
      }
      const sentence = `launchd did not take ${plist} (${said}). It starts when this user logs in at the screen of the Mac.`;
      throw new Failure(EXIT.refused, sentence);
    },
    async unload() {
      await call('bootout', service);
      for (let tries = 0; tries < TRIES_MAX; tries += 1) {
        if (!(await isLoaded())) return;
        await wait(TRY_AGAIN_MS);
      }
      throw new Failure(EXIT.refused, `The agent does not end. Log out and in again, then run this once more.`);
    },
  };
}
