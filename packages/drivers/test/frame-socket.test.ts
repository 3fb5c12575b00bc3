/** When the end of a connection is noticed, by a client that writes its bytes itself. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { type FrameSocket, wrapSocket } from '../src/remote/frame-socket.ts';

const PING_EVERY_MS = 60;
const FRAME = JSON.stringify({ type: 'events', text: 'Slowly, but without a pause' });

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

it('does not take a frame that comes byte by byte for silence', async () => {
  const { client, frames } = await pair();
  const heard = new Promise<string>((resolve) => frames.listen(resolve));
  for (const byte of frameBytes(FRAME)) {
    client.write(Buffer.of(byte));
    await sleep(PING_EVERY_MS / 4);
  }
  expect(await heard).toBe(FRAME);
  expect(frames.isOpen).toBe(true);
});

it('ends a connection on which no byte comes', async () => {
  const { client, frames } = await pair();
  client.write(frameBytes(FRAME).subarray(0, 20));
  expect(await frames.ended).toMatchObject({ code: 1006 });
});

/** A server's end, and a client that answers no ping. */
async function pair(): Promise<{ client: Socket; frames: FrameSocket }> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const wrapped = new Promise<FrameSocket>((resolve) => {
    sockets.on('connection', (socket, { socket: stream }) => resolve(wrapSocket(socket, stream, PING_EVERY_MS)));
  });
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  ends.push(async () => {
    client.destroy();
    sockets.close();
    server.close();
    await once(server, 'close');
  });
  const head = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'];
  const key = `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`;
  client.write(['GET / HTTP/1.1', 'Host: localhost', ...head, key, '', ''].join('\r\n'));
  client.resume();
  return { client, frames: await wrapped };
}

/** RFC 6455, section 5.2: a whole text frame of fewer than 126 bytes, masked with zeros. */
function frameBytes(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.of(0x81, 0x80 | payload.length, 0, 0, 0, 0), payload]);
}
