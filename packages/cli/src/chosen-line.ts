/** The line that a command means when it was not named: the only one that the account has, the sandbox line aside. */
import type { Api } from './api.ts';
import { Refusal, usageFailure } from './failure.ts';
import { asFields, type Fields, listOf, textOf } from './fields.ts';

export async function chooseLine(api: Api, named: string | undefined, option: string): Promise<string> {
  if (named !== undefined) return named;
  const lines = listOf(await api.call('GET', '/v1/lines'), 'data')
    .map(asFields)
    .filter(isActive);
  const candidates = lines.length > 1 ? await withoutSandbox(api, lines) : lines;
  const [only] = candidates;
  const handle = only === undefined ? null : textOf(only, 'handle');
  if (handle !== null && candidates.length === 1) return handle;
  if (candidates.length === 0) throw usageFailure(`This key has no line to use. Name one with ${option}.`);
  const handles = candidates.map((line) => textOf(line, 'handle')).join(', ');
  throw usageFailure(`Say which line with ${option}: ${handles}.`);
}

/** `/v1` does not tell the sandbox line from others; `/admin/v1` does, to those who may ask it. */
async function withoutSandbox(api: Api, lines: readonly Fields[]): Promise<readonly Fields[]> {
  try {
    const all = listOf(await api.call('GET', '/admin/v1/lines'), 'data').map(asFields);
    const sandbox = new Set(all.filter((line) => line['is_sandbox'] === true).map((line) => line['id']));
    return lines.filter((line) => !sandbox.has(line['id']));
  } catch (error) {
    if (error instanceof Refusal && (error.detail.status === 403 || error.detail.status === 404)) return lines;
    throw error;
  }
}

function isActive(line: Fields): boolean {
  return line['is_active'] === true;
}
