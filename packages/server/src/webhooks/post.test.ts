import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../clock.ts';
import { createNetworkGuard } from '../network/guard.ts';
import { LOOPBACK_NETWORKS } from '../network/networks.ts';
import { systemLookup } from '../network/resolver.ts';
import { createReceiver } from './post.ts';

const closing: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** Time-outs after a fraction of their time. */
const hurried: Clock = {
  ...systemClock,
  after: (ms, callback) => systemClock.after(ms / 50, callback),
};

async function receiving(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=1#fragment`;
}

function post(url: string, clock: Clock = systemClock) {
  const guard = createNetworkGuard({ networks: LOOPBACK_NETWORKS, lookup: systemLookup, clock });
  const receiver = createReceiver(url, 2, { guard, clock });
  closing.push(() => receiver.close());
  return receiver.post({ 'content-type': 'application/json', 'x-test': 'yes' }, '{"a":1}');
}

describe('a post', () => {
  it('carries its headers and its body to the path with its query', async () => {
    let seen: unknown;
    const url = await receiving(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const { method, url: path, headers } = request;
      seen = { method, path, body, type: headers['content-type'], test: headers['x-test'] };
      response.end();
    });
    expect(await post(url)).toMatchObject({ status: 200, error: null, timedOut: false, answer: null });
    expect(seen).toEqual({ method: 'POST', path: '/hook?a=1', body: '{"a":1}', type: 'application/json', test: 'yes' });
  });

  it.each([200, 201, 202, 204, 299])('is a success with %i', async (status) => {
    const url = await receiving((_request, response) => response.writeHead(status).end());
    expect(await post(url)).toMatchObject({ status, error: null });
  });

  it.each([300, 304, 400, 401, 404, 410, 500, 503])('is a failure with %i, and keeps what was said', async (status) => {
    const url = await receiving((_request, response) => response.writeHead(status).end(status === 304 ? '' : 'No.'));
    expect(await post(url)).toMatchObject({
      status,
      error: `The receiver answered ${status}.`,
      timedOut: false,
      retryAfterMs: null,
      answer: status === 304 ? '' : 'No.',
    });
  });

  it.each([301, 302, 303, 307, 308])('does not follow a redirect with %i', async (status) => {
    let followed = 0;
    const target = await receiving((_request, response) => {
      followed++;
      response.end();
    });
    const url = await receiving((_request, response) => response.writeHead(status, { location: target }).end());
    expect((await post(url)).error).toBe(`The receiver answered ${status}.`);
    expect(followed).toBe(0);
  });

  it('reads Retry-After', async () => {
    const url = await receiving((_request, response) => response.writeHead(429, { 'retry-after': '7' }).end());
    expect(await post(url)).toMatchObject({ status: 429, retryAfterMs: 7_000 });
  });
});

describe('a receiver that cannot be used', () => {
  it('refuses the connection', async () => {
    const server = createTcpServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const answer = await post(`http://127.0.0.1:${port}/`);
    expect(answer).toMatchObject({ status: null, error: 'The receiver refused the connection.', timedOut: false });
  });

  it.each([
    ['at once', () => undefined],
    ['within the head', (write: (text: string) => void) => write('HTTP/1.1 200 O')],
  ])('closes early, %s', async (_name, begin) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        begin((text) => socket.write(text));
        socket.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const answer = await post(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(answer.status).toBeNull();
    expect(answer.error).toBe('The receiver closed the connection before it answered.');
  });

  it('does not resolve', async () => {
    const answer = await post('https://no-such-host.invalid/');
    expect(answer.error).toBe("The receiver's host name does not resolve.");
  });

  it('does not speak TLS where https was asked for', async () => {
    const url = await receiving((_request, response) => response.end());
    const answer = await post(url.replace('http:', 'https:'));
    expect(answer.status).toBeNull();
    expect(answer.error).toMatch(/^The receiver's certificate was not accepted \(.+\)\.$/);
  });

  it('does not speak HTTP', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const answer = await post(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(answer).toMatchObject({ status: null, timedOut: false });
    expect(answer.error).toMatch(/\.$/);
  });

  it('hangs, and is given up after 15 s', async () => {
    const url = await receiving(() => undefined);
    const answer = await post(url, hurried);
    expect(answer).toMatchObject({ status: null, error: 'No answer within 15 s.', timedOut: true });
  });
});

describe('a body', () => {
  it('that never ends is a success with a 2xx, and of it little is read', async () => {
    let written = 0;
    const url = await receiving((_request, response) => {
      const chunk = Buffer.alloc(16 * 1024);
      const pump = () => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length;
        response.once('drain', pump);
      };
      pump();
    });
    expect(await post(url)).toMatchObject({ status: 200, error: null });
    expect(written).toBeLessThan(32 * 1024 * 1024);
  });

  it('that drips is a success with a 2xx, and is left after 15 s', async () => {
    const url = await receiving((_request, response) => {
      response.writeHead(200).write('x');
      const timer = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(timer));
    });
    expect(await post(url, hurried)).toMatchObject({ status: 200, error: null });
  });

  it('that breaks off is a success with a 2xx', async () => {
    const url = await receiving((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('x');
      setTimeout(() => response.destroy(), 20);
    });
    expect(await post(url)).toMatchObject({ status: 200, error: null });
  });

  it('of a failure is kept up to 4 KB, without a NUL', async () => {
    const url = await receiving((_request, response) => response.writeHead(500).end(`\0${'x'.repeat(1_000_000)}`));
    const answer = await post(url);
    expect(answer.status).toBe(500);
    expect(answer.answer).toMatch(/^x+$/);
    expect(answer.answer?.length).toBe(4 * 1024 - 1);
  });

  it('of a failure that never ends, or drips, leaves the status standing', async () => {
    const endless = await receiving((_request, response) => {
      const pump = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
        response.once('drain', pump);
      };
      response.writeHead(500);
      pump();
    });
    expect(await post(endless)).toMatchObject({ status: 500, error: 'The receiver answered 500.' });
    const drips = await receiving((_request, response) => {
      response.writeHead(503, { 'retry-after': '9' }).write('slow');
    });
    expect(await post(drips, hurried)).toMatchObject({ status: 503, retryAfterMs: 9_000, timedOut: false });
  });

  it('that is compressed is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
    const url = await receiving((_request, response) =>
      response.writeHead(500, { 'content-encoding': 'gzip' }).end(bomb),
    );
    const answer = await post(url);
    expect(answer.answer?.length).toBeLessThanOrEqual(4 * 1024);
  });
});
