/** A line far away: an agent dials in, its connection is the lease, and what it brings and takes survives both ends. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createFileTransfer } from '../../drivers/src/remote/file-transfer.ts';
import { addRemoteLine, FAR_PHONE, type FarMac, openFarMac, REMOTE_LINE, whenConnected } from './far-mac.ts';
import {
  createHome,
  ENGINES,
  expectStatus,
  type Home,
  KEY,
  startTestServer,
  type TestServer,
  waitFor,
} from './harness.ts';

describe.each(ENGINES)('a remote line on %s', (engine) => {
  let home: Home;
  let test: TestServer;
  let origin: string;
  let mac: FarMac;
  let token: string;
  let device: string;

  beforeEach(async () => {
    home = await createHome(engine);
    await startServer();
    ({ token, device } = await addRemoteLine(test));
    mac = await openFarMac(() => origin, token);
  });
  afterEach(async () => {
    await mac.close();
    await test.stop();
    await home.remove();
  });

  async function startServer(port = '0'): Promise<void> {
    test = await startTestServer(engine, { home, environment: { TRUNKLINE_PORT: port } });
    origin = (await test.server.listen()) ?? '';
  }
  const send = async (text: string) => {
    const body = { from: REMOTE_LINE, to: FAR_PHONE, text };
    return String(expectStatus(201, await test.call('POST', '/v1/messages', body)).body['id']);
  };
  const onPhone = async () => {
    const page = await mac.network.phoneMessages({ phone: FAR_PHONE, lines: [REMOTE_LINE] });
    return (page?.messages ?? []).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
  };
  const received = async () => {
    const rows = test.server.engine.query.selectFrom('messages').select('text').where('sender', '=', FAR_PHONE);
    return (await rows.orderBy('ref').execute()).map((row) => row.text);
  };
  const text = (said: string) => mac.network.text({ from: FAR_PHONE, to: REMOTE_LINE, text: said });
  const health = async () => {
    const { body } = await test.call('GET', `/admin/v1/lines/${encodeURIComponent(REMOTE_LINE)}`);
    return body['health'];
  };

  it('sends and hears through its agent, and says how it is', async () => {
    const early = await send('Sent before anybody was there');
    mac.start();
    await whenConnected(mac);
    await test.settled(early);
    await test.settled(await send('Hello from afar'));
    expect(await onPhone()).toEqual(['Sent before anybody was there', 'Hello from afar']);
    await text('And back');
    await waitFor(async () => (await received()).includes('And back') || undefined, 'the text from afar');
    await waitFor(
      async () => ((await health()) as { state: string }).state === 'online' || undefined,
      'the line online',
    );
    const { body } = await test.call('GET', `/admin/v1/devices/${device}`);
    expect(body).toMatchObject({ agent: { version: '0.1.0', platform: 'test' }, disconnected_at: null });
    await waitFor(async () => {
      const { body: noted } = await test.call('GET', `/admin/v1/devices/${device}`);
      return typeof noted['clock_offset_ms'] === 'number' || undefined;
    }, 'the clocks compared');
  });

  it('is offline without an agent, and loses nothing meanwhile', async () => {
    const until = (state: string) =>
      waitFor(async () => ((await health()) as { state: string }).state === state || undefined, `the line ${state}`);
    const agent = mac.start();
    await until('online');
    await agent.stop();
    await until('offline');
    expect(await health()).toMatchObject({ state: 'offline', reason: 'No agent is connected.' });
    await text('While you were out');
    const waiting = await send('Waits');
    mac.start();
    await test.settled(waiting);
    await waitFor(async () => (await received()).includes('While you were out') || undefined, 'what came meanwhile');
  });

  it('goes on where it was when the server is started anew', async () => {
    mac.start();
    await whenConnected(mac);
    await text('Before');
    await waitFor(async () => (await received()).includes('Before') || undefined, 'the first text');
    await test.stop();
    await text('Between');
    await startServer(new URL(origin).port);
    await whenConnected(mac, 2);
    await test.settled(await send('After'));
    await waitFor(async () => (await received()).length === 2 || undefined, 'the second text');
    expect((await received()).toSorted()).toEqual(['Before', 'Between']);
    expect(await onPhone()).toEqual(['After']);
  });

  it('is closed to an agent at once when its token is revoked', async () => {
    const agent = mac.start();
    await whenConnected(mac);
    expectStatus(200, await test.call('DELETE', `/admin/v1/devices/${device}`));
    await expect(agent.ended).rejects.toThrow('revoked');
    await expect(mac.start().ended).rejects.toThrow('does not take this token');
  });

  it('is closed to a token that was never made', async () => {
    const agent = mac.start({ token: `dtk_${'A'.repeat(43)}` });
    await expect(agent.ended).rejects.toThrow('does not take this token');
  });

  it('is closed to a device that does not name it', async () => {
    await expect(mac.start({ line: '+15550100078' }).ended).rejects.toThrow('no line +15550100078');
  });

  it('stays with the agent that has it, and goes over at once to the same one dialling in again', async () => {
    mac.start();
    await whenConnected(mac);
    mac.start({ instance: 'another Mac' });
    await waitFor(
      () => mac.states.some((one) => one.state === 'disconnected' && one.reason.includes('Another agent')) || undefined,
      'the refusal',
    );
    mac.start({ instance: 'the Mac' });
    await whenConnected(mac, 2);
    await test.settled(await send('Over the new connection'));
    expect(await onPhone()).toEqual(['Over the new connection']);
  });

  it('moves the bytes of files both ways, and goes on where a transfer broke off', async () => {
    const tap = await openTap(origin, 1_500_000);
    mac.start({ server: new URL(tap.origin) });
    await whenConnected(mac);
    const bytes = Buffer.alloc(8_000_000, 'The parcel left the depot. ');
    const { signal } = new AbortController();
    const files = createFileTransfer({ server: new URL(tap.origin), token, line: REMOTE_LINE, signal, pauseMs: 5 });
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
    const path = join(folder, 'parcel.txt');
    await writeFile(path, bytes);
    const received = { name: 'at_0_GUID', path, filename: 'parcel.txt', mimeType: 'text/plain', size: bytes.length };
    const id = await files.write(received);
    expect(await files.write(received)).toBe(id);
    const pieces: Uint8Array[] = [];
    const outgoing = { file: id, filename: null, mimeType: 'text/plain', size: bytes.length };
    for await (const piece of await files.read(outgoing)) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    expect(tap.cuts()).toBeGreaterThan(4);
    await rm(folder, { recursive: true });
    await mac.close();
    await tap.close();
  });

  it('answers requests that ask for other protocols in its own', async () => {
    const asked = (path: string, upgrade: string) =>
      new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
        const request = get(
          `${origin}${path}`,
          { headers: { connection: 'upgrade', upgrade, authorization: `Bearer ${KEY}` } },
          (response) => {
            let body = '';
            response.on('data', (data) => {
              body += data;
            });
            response.on('end', () => resolve({ status: response.statusCode, body }));
          },
        );
        request.on('error', reject);
      });
    expect(await asked('/v1/lines', 'h2c')).toMatchObject({ status: 200, body: expect.stringContaining('has_more') });
    expect(await asked('/v1/lines', 'websocket')).toMatchObject({ status: 200 });
    expect(await asked('/bridge/v1/connect', 'h2c')).toMatchObject({ status: 404 });
  });

  it('ends a connection on which something else than a frame is said, and the server goes on', async () => {
    const headers = { authorization: `Bearer ${token}` };
    for (const said of ['nonsense', '{}', '{"type":"hello"}', JSON.stringify({ type: 'outcome', id: 1 })]) {
      const socket = new WebSocket(`${origin.replace('http', 'ws')}/bridge/v1/connect`, { headers });
      socket.on('open', () => socket.send(said));
      const code = await new Promise((resolve) => socket.on('close', resolve));
      expect(code).toBe(4400);
    }
    mac.start();
    await whenConnected(mac);
  });
});

/** A TCP proxy that cuts each connection after so many bytes towards either side. */
async function openTap(origin: string, cutAfterBytes: number) {
  let cuts = 0;
  const port = Number(new URL(origin).port);
  const proxy = createTcpServer((client) => {
    const server = connect(port, '127.0.0.1');
    let bytes = 0;
    const count = (data: Buffer) => {
      bytes += data.byteLength;
      if (bytes <= cutAfterBytes) return;
      cuts += 1;
      client.destroy();
      server.destroy();
    };
    client.on('data', count).pipe(server);
    server.on('data', count).pipe(client);
    client.on('error', () => server.destroy()).on('close', () => server.destroy());
    server.on('error', () => client.destroy()).on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port: own } = proxy.address() as { port: number };
  return {
    origin: `http://127.0.0.1:${own}`,
    cuts: () => cuts,
    close: () => new Promise((resolve) => proxy.close(resolve)),
  };
}
