/**
 * The registry's word on the installed packages: a known hole that is high or critical fails, unless
 * `docs/dependencies.md` has a sentence for it. Where the registry does not answer the question, nothing is known: the
 * step says so and passes, so that the check does not hang on a network.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run-step.ts';

const WITHIN_MS = 20_000;
const SERIOUS: readonly string[] = ['high', 'critical'];
const EXCERPT_MAX = 160;

export interface AuditOptions {
  /** Another one than npm's configuration names. */
  readonly registry?: string;
  /** A folder of its own for what npm remembers of advisories. */
  readonly cache?: string;
  readonly withinMs?: number;
}

export interface AuditVerdict {
  readonly ok: boolean;
  /** Serious advisories, or why nothing is known. */
  readonly lines: readonly string[];
}

export async function audit(options: AuditOptions = {}): Promise<AuditVerdict> {
  const output = await runNpmAudit(options);
  return judgeAudit(output, readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8'));
}

/** `output` is what `npm audit --json` wrote, null when it was not done in time. */
export function judgeAudit(output: string | null, document: string): AuditVerdict {
  if (output === null) return leftOut('the registry did not answer in time');
  const report = parseReport(output);
  if (typeof report === 'string') return leftOut(report);
  const serious = advisoriesOf(report).filter((one) => SERIOUS.includes(one.severity));
  const open = serious.filter(({ id }) => !acceptedIn(document).has(id));
  return { ok: open.length === 0, lines: open.map((one) => `${one.severity}: ${one.name}: ${one.title} (${one.url})`) };
}

function leftOut(reason: string): AuditVerdict {
  // Where the registry lies is nobody's business who reads the check's output.
  const told = reason.replace(/\s*-?\s*(?:[A-Z]+ )?https?:\/\/\S+/g, '');
  return { ok: true, lines: [`left out: ${told.slice(0, EXCERPT_MAX)}`] };
}

/** Lines of the form "- `GHSA-…`: why it does not touch us." */
function acceptedIn(document: string): ReadonlySet<string> {
  return new Set([...document.matchAll(/^- `(GHSA-[\w-]+)`: .{30,}\.$/gm)].map(([, id = '']) => id));
}

type Json = Readonly<Record<string, unknown>>;

/** The report's packages, or why there is none. */
function parseReport(output: string): Json | string {
  let report: unknown;
  try {
    report = JSON.parse(output);
  } catch {
    return 'npm audit gave no report';
  }
  if (!isRecord(report)) return 'npm audit gave no report';
  if (isRecord(report['vulnerabilities'])) return report['vulnerabilities'];
  const { message } = report;
  return typeof message === 'string' ? message : 'npm audit gave no report';
}

interface Advisory {
  readonly id: string;
  readonly name: string;
  readonly severity: string;
  readonly title: string;
  readonly url: string;
}

/** Each once, however many packages it reaches. A package's `via` holds advisories and names of other packages. */
function advisoriesOf(packages: Json): readonly Advisory[] {
  const found = new Map<string, Advisory>();
  for (const one of Object.values(packages)) {
    const via = isRecord(one) && Array.isArray(one['via']) ? one['via'] : [];
    for (const advisory of via.filter(isRecord)) {
      const url = String(advisory['url']);
      const id = url.split('/').at(-1) ?? url;
      const [name, severity, title] = [advisory['name'], advisory['severity'], advisory['title']].map(String);
      found.set(id, { id, name: name ?? '', severity: severity ?? '', title: title ?? '', url });
    }
  }
  return [...found.values()];
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What npm wrote, null when it took too long. npm is a script, which it names itself where it runs this. */
function runNpmAudit({ registry, cache, withinMs = WITHIN_MS }: AuditOptions): Promise<string | null> {
  const arguments_ = ['audit', '--json', '--fetch-retries=0'];
  if (registry !== undefined) arguments_.push(`--registry=${registry}`);
  if (cache !== undefined) arguments_.push(`--cache=${cache}`);
  const script = process.env['npm_execpath'];
  const [program, ...first] = script === undefined ? ['npm'] : [process.execPath, script];
  const child = spawn(program, [...first, ...arguments_], { cwd: ROOT });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.resume();
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(null);
      child.kill('SIGKILL');
    }, withinMs);
    child.once('error', () => {
      clearTimeout(timer);
      resolve('');
    });
    child.once('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
  });
}

if (import.meta.main) {
  const { ok, lines } = await audit();
  for (const line of lines) console.log(line);
  process.exitCode = ok ? 0 : 1;
}
