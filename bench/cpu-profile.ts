/** Reads what `node --cpu-prof` writes: how long each function was at the top of the stack. */

export interface CpuProfile {
  /** Microseconds of the monotonic clock. */
  readonly startTime: number;
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

export interface Share {
  readonly name: string;
  readonly milliseconds: number;
  /** Of the time in which the process did anything. */
  readonly share: number;
}

export interface ProfileSummary {
  readonly busyMs: number;
  readonly idleMs: number;
  readonly functions: readonly Share[];
  /** By package and folder. */
  readonly groups: readonly Share[];
}

const IDLE = '(idle)';

/** The span is in milliseconds of the monotonic clock: what a server does while it starts is left out. */
export function summarise(profile: CpuProfile, from: number, to: number, top: number): ProfileSummary {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)),
  );
  const functions = new Map<string, number>();
  const groups = new Map<string, number>();
  let busyMs = 0;
  let idleMs = 0;
  let at = profile.startTime / 1_000;
  profile.samples.forEach((id, index) => {
    const node = nodes.get(id);
    const milliseconds = (profile.timeDeltas[index] ?? 0) / 1_000;
    at += milliseconds;
    if (!node || at < from || at > to) return;
    if (node.callFrame.functionName === IDLE) {
      idleMs += milliseconds;
      return;
    }
    busyMs += milliseconds;
    add(functions, functionName(node, parents), milliseconds);
    add(groups, groupOf(node), milliseconds);
  });
  return { busyMs, idleMs, functions: largest(functions, busyMs, top), groups: largest(groups, busyMs, top) };
}

function add(sums: Map<string, number>, name: string, milliseconds: number): void {
  sums.set(name, (sums.get(name) ?? 0) + milliseconds);
}

function largest(sums: ReadonlyMap<string, number>, totalMs: number, top: number): Share[] {
  return [...sums]
    .map(([name, milliseconds]) => ({ name, milliseconds, share: milliseconds / totalMs }))
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .slice(0, top);
}

/** Where a native function has no file, its caller says most about it. */
function functionName(node: ProfileNode, parents: ReadonlyMap<number, ProfileNode>): string {
  const { functionName: name, url, lineNumber } = node.callFrame;
  const shown = name === '' ? '(anonymous)' : name;
  if (url !== '') return `${shown}  ${placeOf(url)}:${lineNumber + 1}`;
  const caller = parents.get(node.id)?.callFrame;
  if (shown.startsWith('(') || !caller || caller.url === '') return shown;
  return `${shown}  native, from ${caller.functionName} ${placeOf(caller.url)}`;
}

function groupOf({ callFrame: { functionName: name, url } }: ProfileNode): string {
  if (url === '') return name.startsWith('(') ? name : 'native functions';
  if (url.startsWith('node:'))
    return `node:${
      url
        .slice('node:'.length)
        .replace(/^internal\//, '')
        .split('/')[0]
    }`;
  const place = placeOf(url);
  const ours = /^(packages\/\w+\/src)\/(.*)$/.exec(place);
  if (ours) return `${ours[1]}/${(ours[2] ?? '').split('/').slice(0, -1).join('/')}`.replace(/\/$/, '');
  return place
    .split('/')
    .slice(0, place.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The path below the repository, or below `node_modules`. */
function placeOf(url: string): string {
  const path = decodeURI(url.replace(/^file:\/\//, ''));
  const modules = path.lastIndexOf('/node_modules/');
  if (modules >= 0) return path.slice(modules + '/node_modules/'.length);
  const packages = path.lastIndexOf('/packages/');
  return packages >= 0 ? path.slice(packages + 1) : path;
}
