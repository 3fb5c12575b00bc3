/** What the check makes of the registry's word, with a registry of the test's own and the real npm in between. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AuditOptions, type AuditVerdict, audit, judgeAudit } from '../scripts/audit.ts';

const ADVISORY = {
  id: 1,
  url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
  title: 'It does what it should not',
  severity: 'high',
  vulnerable_versions: '*',
  cwe: [],
  cvss: { score: 9, vectorString: null },
};

/** A registry that answers every question about advisories in this way, for as long as the work takes. */
async function withRegistry<T>(
  answer: (response: ServerResponse) => void,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const server = createServer((request, response) => {
    request.resume();
    // npm also asks about each package that is named; that nothing is known of it changes no verdict.
    if (request.method === 'GET') json(404, {})(response);
    else answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  try {
    return await work(`http://127.0.0.1:${address.port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** npm keeps advisories by their number: what a test made up must not reach the real ones. */
async function ask(options: AuditOptions): Promise<AuditVerdict> {
  const cache = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  try {
    return await audit({ ...options, cache });
  } finally {
    await rm(cache, { recursive: true, force: true, maxRetries: 5 });
  }
}

function json(status: number, body: unknown) {
  return (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
}

describe('the audit', () => {
  it('fails by name when a package that is installed has a serious hole', async () => {
    const verdict = await withRegistry(json(200, { fastify: [ADVISORY] }), (registry) => ask({ registry }));
    expect(verdict).toEqual({
      ok: false,
      lines: ['high: fastify: It does what it should not (https://github.com/advisories/GHSA-aaaa-bbbb-cccc)'],
    });
  });

  it('passes when the registry knows of nothing', async () => {
    const verdict = await withRegistry(json(200, {}), (registry) => ask({ registry }));
    expect(verdict).toEqual({ ok: true, lines: [] });
  });

  it.each([404, 405, 500])('says so and passes when the registry answers %i', async (status) => {
    const verdict = await withRegistry(json(status, {}), (registry) => ask({ registry }));
    expect(verdict.ok).toBe(true);
    expect(verdict.lines).toEqual([expect.stringMatching(/^left out: .+/)]);
  });

  it('says so and passes when the registry does not answer in time', async () => {
    const silence = () => undefined;
    const verdict = await withRegistry(silence, (registry) => ask({ registry, withinMs: 2_000 }));
    expect(verdict).toEqual({ ok: true, lines: ['left out: the registry did not answer in time'] });
  });

  it('says so and passes when there is no registry', async () => {
    const verdict = await ask({ registry: 'http://127.0.0.1:1/' });
    expect(verdict.ok).toBe(true);
    expect(verdict.lines).toEqual([expect.stringMatching(/^left out: .+/)]);
  });
});

describe('an advisory', () => {
  const report = (severity: string) =>
    JSON.stringify({
      vulnerabilities: { one: { via: ['two', { ...ADVISORY, name: 'one', severity }] }, two: { via: ['one'] } },
    });

  it('fails when it is high or critical, and only then', () => {
    for (const severity of ['high', 'critical']) expect(judgeAudit(report(severity), '').ok).toBe(false);
    for (const severity of ['info', 'low', 'moderate']) expect(judgeAudit(report(severity), '').ok).toBe(true);
  });

  it('passes when the document has a sentence for it, and not for another or with a word alone', () => {
    const sentence = 'only a parser that we never hand foreign text to.';
    expect(judgeAudit(report('high'), `- \`GHSA-aaaa-bbbb-cccc\`: ${sentence}\n`).ok).toBe(true);
    expect(judgeAudit(report('high'), `- \`GHSA-aaaa-bbbb-dddd\`: ${sentence}\n`).ok).toBe(false);
    expect(judgeAudit(report('high'), '- `GHSA-aaaa-bbbb-cccc`: fine.\n').ok).toBe(false);
  });
});
