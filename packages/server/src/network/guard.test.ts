import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../clock.ts';
import { createNetworkGuard, type NetworkGuard } from './guard.ts';
import { LOOPBACK_NETWORKS, type Networks, NO_NETWORKS, parseNetworks } from './networks.ts';
import { UnresolvedError } from './resolver.ts';

const NAMES: Readonly<Record<string, readonly string[]>> = {
  localhost: ['127.0.0.1', '::1'],
  'public.example': ['1.1.1.1', '2606:4700:4700::1111'],
  'private.example': ['10.1.2.3'],
  'mixed.example': ['1.1.1.1', '10.1.2.3'],
  'here.example': ['127.0.0.1'],
  'near.example': ['169.254.1.1'],
  'cloud.example': ['169.254.169.254'],
  'odd.example': ['127.1'],
};

async function lookup(host: string): Promise<readonly string[]> {
  const found = NAMES[host.replace(/\.$/, '')];
  if (!found) throw new UnresolvedError('ENOTFOUND');
  return found;
}

const guardFor = (networks: Networks | string): NetworkGuard =>
  createNetworkGuard({
    networks: typeof networks === 'string' ? parseNetworks(networks) : networks,
    lookup,
    clock: systemClock,
  });
const OPEN = guardFor(LOOPBACK_NETWORKS);
const STRICT = guardFor(NO_NETWORKS);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) await close();
});

async function listening(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

function request(guard: NetworkGuard, origin: string) {
  const pool = guard.openPool(origin, { connections: 1, connectTimeoutMs: 2_000 });
  closing.push(() => pool.destroy());
  return pool.request({ path: '/', method: 'POST', body: 'x' });
}

describe('the URL of somebody else', () => {
  it.each([
    'https://public.example/hook',
    'https://public.example:8443/hook?a=1#b',
    'https://xn--bcher-kva.example/',
    'https://does-not-resolve.invalid/',
    'HTTPS://PUBLIC.EXAMPLE',
    'https://public.example./',
    'https://1.1.1.1/',
    'https://[2606:4700:4700::1111]/',
  ])('may be %s', async (url) => {
    expect(await STRICT.refuseUrl(url)).toBeNull();
    expect(await OPEN.refuseUrl(url)).toBeNull();
  });

  it.each([
    'http://localhost:3000/hook',
    'http://127.0.0.1/',
    'http://127.1.2.3:80/',
    'http://[::1]:3000/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://here.example/',
  ])('may be %s only where this machine is allowed', async (url) => {
    expect(await OPEN.refuseUrl(url)).toBeNull();
    expect(await STRICT.refuseUrl(url)).toBe('must be an https URL');
    expect(await OPEN.refuseUrl(url.replace('http:', 'https:'))).toBeNull();
    expect(await STRICT.refuseUrl(url.replace('http:', 'https:'))).toMatch(/^leads to an address .*SINK_NETWORKS$/);
  });

  it.each([
    'http://example.com/',
    'http://public.example/',
    'http://10.0.0.1/',
    'http://127.0.0.1.example.com/',
    'http://localhost.example.com/',
    'http://0.0.0.0/',
    'http://169.254.169.254/latest/meta-data',
    'ftp://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/plain,x',
    'ws://localhost/',
  ])('may never be %s', async (url) => {
    expect(await OPEN.refuseUrl(url)).toBe('must be an https URL');
  });

  it.each(['', 'hook', '/hook', '//example.com', 'https://', 'https://a b/', 'https://[::1', 'https://x:99999/'])(
    'must be absolute and whole: "%s" is not',
    async (url) => {
      expect(await OPEN.refuseUrl(url)).toBe('must be an absolute URL');
    },
  );

  it('carries no user name and no password', async () => {
    for (const url of ['https://user@example.com/', 'https://user:secret@example.com/', 'http://x:y@localhost/']) {
      expect(await OPEN.refuseUrl(url)).toBe('must not carry a user name or password');
    }
  });

  it('is refused alike whatever lies behind it, and what lies there is not told', async () => {
    const hidden = ['private', 'mixed', 'here', 'near', 'cloud', 'odd'].map((name) => `https://${name}.example/`);
    const refusals = await Promise.all(hidden.map((url) => STRICT.refuseUrl(url)));
    expect(new Set(refusals).size).toBe(1);
    expect(refusals[0]).not.toMatch(/\d|loopback|metadata|private/);
  });

  it('whose name takes longer than 2 s to resolve counts as one that does not', async () => {
    const waits: { ms: number; callback: () => void }[] = [];
    const after = (ms: number, callback: () => void) => {
      waits.push({ ms, callback });
      return () => undefined;
    };
    const never = () => new Promise<readonly string[]>(() => undefined);
    const guard = createNetworkGuard({ networks: NO_NETWORKS, lookup: never, clock: { ...systemClock, after } });
    const refused = guard.refuseUrl('https://slow.example/');
    expect(waits.map((wait) => wait.ms)).toEqual([2_000]);
    waits[0]?.callback();
    expect(await refused).toBeNull();
  });
});

describe('a permission', () => {
  const CASES: readonly (readonly [networks: string, allowed: readonly string[], refused: readonly string[]])[] = [
    [
      '10.0.0.0/8',
      ['https://private.example/', 'http://10.9.9.9:8080/'],
      ['http://11.0.0.1/', 'https://here.example/'],
    ],
    ['10.0.0.0/8', ['http://private.example/'], ['http://mixed.example/', 'http://public.example/']],
    ['10.0.0.0/8', ['https://mixed.example/'], ['http://does-not-resolve.invalid/']],
    ['10.1.2.3', ['http://private.example/'], ['http://10.1.2.4/']],
    ['0.0.0.0/0,::/0', ['http://private.example/', 'http://public.example/', 'http://[fd12::1]/'], []],
    ['0.0.0.0/0,::/0', [], ['https://127.0.0.1/', 'https://[::1]/', 'https://localhost/', 'https://here.example/']],
    ['0.0.0.0/0,::/0', [], ['https://169.254.1.1/', 'https://[fe80::1]/', 'https://near.example/', 'http://0.0.0.0/']],
    ['0.0.0.0/0,::/0', [], ['https://169.254.169.254/', 'https://[fd00:ec2::254]/', 'https://168.63.129.16/']],
    ['0.0.0.0/0,::/0', [], ['https://[::ffff:10.0.0.1]/', 'https://[64:ff9b::a00:1]/', 'https://[2002:a00:1::]/']],
    ['169.254.0.0/16', ['http://169.254.1.1/', 'http://near.example/'], ['http://cloud.example/']],
    ['169.254.169.254', ['http://cloud.example/', 'http://169.254.169.254/'], ['http://near.example/']],
    ['loopback', ['http://here.example/', 'http://127.0.0.9/'], ['http://private.example/', 'https://near.example/']],
    ['private.example', ['http://private.example:3000/', 'https://PRIVATE.example./'], ['https://10.1.2.3/']],
    ['does-not-resolve.invalid', ['http://does-not-resolve.invalid/'], ['http://nor-does-this.invalid/']],
    ['here.example,localhost', ['http://here.example/', 'http://localhost/'], ['http://127.0.0.1/']],
    ['near.example,cloud.example', [], ['https://near.example/', 'https://cloud.example/', 'http://near.example/']],
    ['metadata.google.internal', [], ['https://metadata.google.internal/', 'http://metadata.google.internal/']],
    ['public.example', ['http://public.example/'], ['http://1.1.1.1/', 'http://www.public.example/']],
    ['odd.example', [], ['http://odd.example/', 'https://odd.example/']],
  ];

  it.each(CASES)('for %s lets in %j, and not %j', async (networks, allowed, refused) => {
    const guard = guardFor(networks);
    for (const url of allowed) expect(await guard.refuseUrl(url), url).toBeNull();
    for (const url of refused) expect(await guard.refuseUrl(url), url).not.toBeNull();
  });
});

describe('a connection', () => {
  it.each(['here.example', 'localhost', '127.0.0.1'])('to %s is made where it is allowed', async (host) => {
    const port = await listening(createServer((_request, response) => response.end('here')));
    const response = await request(OPEN, `http://${host}:${port}`);
    expect(await response.body.text()).toBe('here');
  });

  it.each([
    'http://here.example',
    'https://here.example',
    'https://localhost',
    'https://127.0.0.1',
    'http://127.0.0.1',
    'https://[::ffff:127.0.0.1]',
    'https://2130706433',
  ])('to %s is not begun where it is not allowed', async (origin) => {
    let connections = 0;
    const port = await listening(
      createTcpServer((socket) => {
        connections++;
        socket.destroy();
      }),
    );
    await expect(request(STRICT, `${origin}:${port}`)).rejects.toMatchObject({ code: 'blocked_address' });
    expect(connections).toBe(0);
  });

  it('by plain http to the public internet is not begun either', async () => {
    await expect(request(OPEN, 'http://public.example')).rejects.toMatchObject({ code: 'blocked_address' });
  });

  it('to a set of addresses is not begun when one of them is not allowed', async () => {
    await expect(request(OPEN, 'https://mixed.example')).rejects.toMatchObject({ code: 'blocked_address' });
  });

  it('goes on saying that a name does not resolve', async () => {
    await expect(request(STRICT, 'https://nobody.invalid')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('asks for the certificate of the name in the URL, whatever address it has', async () => {
    let hello = '';
    const port = await listening(
      createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', (data) => {
          hello = data.toString('latin1');
          socket.destroy();
        });
      }),
    );
    await expect(request(OPEN, `https://here.example:${port}`)).rejects.toThrow();
    expect(hello).toContain('here.example');
  });

  it('goes through no proxy that the environment names', async () => {
    let proxied = 0;
    const proxy = await listening(
      createServer((_request, response) => {
        proxied++;
        response.end('proxy');
      }),
    );
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY'])
      vi.stubEnv(name, `http://127.0.0.1:${proxy}`);
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    const port = await listening(createServer((_request, response) => response.end('here')));
    const response = await request(guardFor('loopback'), `http://here.example:${port}`);
    expect(await response.body.text()).toBe('here');
    expect(proxied).toBe(0);
  });
});
