/** What an installation of the server and the command brings along, by the lock file, and what it weighs on disk. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const PRODUCTS: readonly string[] = ['packages/server', 'packages/cli'];

export interface InstalledPackage {
  /** Where it lies, such as `node_modules/pg`. */
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
}

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  /** Of our own packages: where they really lie. */
  readonly resolved?: string;
  readonly link?: boolean;
}

type Lock = Readonly<Record<string, Locked>>;

/** Packages of our own weigh nothing here. Optional ones count where this machine has them. */
export function readProductionPackages(): readonly InstalledPackage[] {
  const { packages }: { packages: Lock } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const found = new Set<string>();
  const open = [...PRODUCTS];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const { dependencies = {}, optionalDependencies = {} } = packages[path] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const place = placeOf(packages, path, name);
      if (place !== null) open.push(place);
    }
  }
  return [...found]
    .filter((path) => path.startsWith('node_modules/') && existsSync(join(ROOT, path)))
    .sort()
    .map((path) => ({ path, name: path.replace(/^.*node_modules\//, ''), bytes: weigh(join(ROOT, path)) }));
}

/** As Node looks for it: beside the one that asks, then further up. */
function placeOf(packages: Lock, from: string, name: string): string | null {
  for (let folder: string | null = from; folder !== null; folder = parentOf(folder)) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    const locked = packages[place];
    if (locked) return locked.link === true ? (locked.resolved ?? place) : place;
  }
  return null;
}

function parentOf(folder: string): string | null {
  if (folder === '') return null;
  const end = folder.lastIndexOf('/node_modules/');
  return end < 0 ? '' : folder.slice(0, end);
}

/** The bytes of a package's own files; packages inside of it are counted for themselves. */
function weigh(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += weigh(path);
    else if (entry.isFile()) bytes += lstatSync(path).size;
  }
  return bytes;
}

/** Several versions of a package count together. */
export function kilobytesByPackage(packages: readonly InstalledPackage[]): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const one of packages) bytes.set(one.name, (bytes.get(one.name) ?? 0) + one.bytes);
  return new Map([...bytes].map(([name, sum]) => [name, Math.round(sum / 1_000)]));
}
