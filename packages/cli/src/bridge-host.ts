/** The computer that an agent runs on, as the commands about it see it. Tests hand in another one. */
import { homedir, userInfo } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunProgram } from '@trunkline/drivers/doctor';
import { usageFailure } from './failure.ts';
import type { Surroundings } from './surroundings.ts';

export interface BridgeHost {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly uid: number;
  /** The absolute paths of what launchd starts: Node, and this command. */
  readonly node: string;
  readonly command: string;
  readonly run: RunProgram;
}

export function createBridgeHost({ environment }: Surroundings): BridgeHost {
  return {
    platform: process.platform,
    home: homeOf(environment),
    uid: userInfo().uid,
    node: process.execPath,
    command: fileURLToPath(new URL('../bin/trunkline.js', import.meta.url)),
    run: async (...call) => (await import('@trunkline/drivers/doctor')).runProgram(...call),
  };
}

/** The folder that was named, or the one that an agent has by itself. */
export async function findStateFolder(
  named: string | undefined,
  { platform, home }: Pick<BridgeHost, 'platform' | 'home'>,
): Promise<string> {
  if (named === '') throw usageFailure('--state-dir takes the path of a folder.');
  if (named !== undefined) return resolve(named);
  return (await import('@trunkline/drivers/doctor')).stateFolderOf(platform, home);
}

function homeOf(environment: Surroundings['environment']): string {
  const home = environment['HOME'] ?? '';
  return isAbsolute(home) ? home : homedir();
}
