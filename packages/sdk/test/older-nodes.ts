/** Older versions of Node, fetched once from the package registry into a cache that `npm ci` empties. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const CACHE = join(import.meta.dirname, '../../../node_modules/.cache/trunkline');
const INSTALLED_WITHIN_MS = 120_000;

/** The program, or the reason why this machine has none. */
export async function findOlderNode(major: number): Promise<{ readonly path: string } | { readonly reason: string }> {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(CACHE, `node-${major}`);
  const path = join(folder, 'node_modules', name, process.platform === 'win32' ? 'bin/node.exe' : 'bin/node');
  if (existsSync(path)) return { path };
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(`${folder}-`);
  try {
    const words = ['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
    await promisify(execFile)('npm', [...words, `${name}@${major}`], { timeout: INSTALLED_WITHIN_MS, cwd: work });
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
    return { path };
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    const said = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { reason: `${name}@${major} could not be installed: ${said}` };
  }
}
