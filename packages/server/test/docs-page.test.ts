/** `/openapi.json` and `/docs` as they are served. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { html, inline } from '../src/http/docs/html.ts';
import type { OpenApiDocument } from '../src/http/docs/open-api.ts';
import { startTestServer, type TestServer } from './harness.ts';

const HOSTILE = '<script>alert("1")</script> & \'x\' `<img src=x onerror=alert(1)>`';

let test: TestServer;
let page: string;
let document: OpenApiDocument;

beforeAll(async () => {
  test = await startTestServer('sqlite');
  page = (await get('/docs')).body;
  document = (await get('/openapi.json')).json();
});
afterAll(() => test.stop());

const get = (url: string, headers: Record<string, string> = {}) => test.server.app.inject({ url, headers });

describe.each([
  ['/docs', 'text/html; charset=utf-8'],
  ['/openapi.json', 'application/json; charset=utf-8'],
])('%s', (path, type) => {
  it('is served without a key, with a policy that lets nothing be loaded, and for no other origin', async () => {
    const answer = await get(path, { origin: 'https://app.example' });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe(type);
    expect(answer.headers['content-security-policy']).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.headers['x-request-id']).toMatch(/^req_/);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('is not sent again to whoever has it', async () => {
    const etag = String((await get(path)).headers.etag);
    for (const given of [etag, `W/${etag}`, `"another", ${etag}`, '*']) {
      const answer = await get(path, { 'if-none-match': given });
      expect({ status: answer.statusCode, body: answer.body }).toEqual({ status: 304, body: '' });
    }
    expect((await get(path, { 'if-none-match': '"another"' })).statusCode).toBe(200);
  });

  it('has a head, and takes no other method', async () => {
    const head = await test.server.app.inject({ method: 'HEAD', url: path });
    expect({ status: head.statusCode, body: head.body }).toEqual({ status: 200, body: '' });
    const posted = await test.server.app.inject({ method: 'POST', url: path });
    expect({ status: posted.statusCode, allow: posted.headers['allow'] }).toEqual({ status: 405, allow: 'GET' });
  });
});

describe('the page', () => {
  const ids = () => [...page.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id);

  it('needs no JavaScript and nothing from elsewhere', () => {
    expect(page).not.toMatch(/<script|<link|<iframe|<img|@import|url\(|\son\w+=|style="/);
    const addresses = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, address = '']) => address);
    expect(addresses.length).toBeGreaterThan(50);
    expect(addresses.filter((address) => !/^#|^\/openapi\.json$/.test(address))).toEqual([]);
  });

  it('has one style, which its policy names', async () => {
    const [, style = ''] = /<style>(.*?)<\/style>/s.exec(page) ?? [];
    const policy = String((await get('/docs')).headers['content-security-policy']);
    expect(policy).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(style).toContain('prefers-color-scheme: dark');
  });

  it('shows every operation, event, resource and error code of the document, each under its own anchor', () => {
    const operations = [...Object.values(document.paths), ...Object.values(document.webhooks)].flatMap((item) =>
      Object.values(item).map((operation) => operation.operationId),
    );
    expect(operations).toEqual(expect.arrayContaining(['sendMessage', 'createKey', 'setFaults', 'onMessageSentEvent']));
    const codes = Object.keys(document.components.examples).map((code) => `error-${code}`);
    expect([...operations, ...codes, 'resource-Message'].filter((id) => !ids().includes(id))).toEqual([]);
    expect(ids()).toEqual([...new Set(ids())]);
  });

  it('has only links that lead somewhere', () => {
    const targets = [...page.matchAll(/href="#([^"]*)"/g)].map(([, target = '']) => target);
    expect(targets.filter((target) => !ids().includes(target))).toEqual([]);
  });

  it('shows a request that works as it stands', () => {
    expect(page).toContain('curl -X POST &quot;$TRUNKLINE_URL/v1/messages&quot;');
    expect(page).toContain('Bearer $TRUNKLINE_API_KEY');
    expect(page).toContain('/v1/messages?from=%2B15550100001&amp;to=%2B15550109999&amp;limit=50');
  });

  it('lets no text become markup', () => {
    const rendered = html`<p title="${HOSTILE}">${HOSTILE}${inline(HOSTILE)}</p>`.html;
    expect(rendered).not.toMatch(/<script|<img/);
    expect(rendered.match(/</g)?.length).toBe(4);
    expect(rendered).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;');
  });
});

describe('where the server is', () => {
  it('is where the document was fetched from, whatever the Host says', async () => {
    expect((await get('/openapi.json', { host: 'evil.example' })).json().servers).toEqual([{ url: '/' }]);
  });

  it('is its public address where it has one', async () => {
    const environment = { TRUNKLINE_PUBLIC_URL: 'https://texts.example.com' };
    const other = await startTestServer('sqlite', { environment });
    const answer = await other.server.app.inject('/openapi.json');
    await other.stop();
    expect(answer.json().servers).toEqual([{ url: 'https://texts.example.com' }]);
  });
});
