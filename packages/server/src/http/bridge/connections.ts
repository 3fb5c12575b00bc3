/** `GET /bridge/v1/connect`: agents dial in here. A connection is its line's lease; a revoked token ends it at once. */
import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  CLOSE,
  CONNECT_PATH,
  createRemoteDriver,
  FRAME_MAX_BYTES,
  type FrameSocket,
  type Hello,
  PROTOCOL_VERSION,
  readAgentFrame,
  wrapSocket,
} from '@trunkline/drivers';
import { WebSocketServer } from 'ws';
import { findDevice, type KnownDevice } from '../../access/devices.ts';
import type { Clock } from '../../clock.ts';
import type { Line } from '../../domain/line.ts';
import { dropOldPieces } from '../../files/line-uploads.ts';
import type { AttachEnd, Attached } from '../../lines/supervisor.ts';
import type { Log } from '../../log.ts';
import { DEVICES_TOPIC, noteDevices } from '../../store/devices.ts';
import { lineOfDevice, tokenIn } from './device-at.ts';
import type { BridgeFileDeps } from './files.ts';

/** An agent that says nothing is not waited for. */
const HELLO_WITHIN_MS = 10_000;
/** Behind the wake-ups: how often each connection's token is looked at. */
const LOOK_EVERY_MS = 15_000;

export interface BridgeDeps extends BridgeFileDeps {
  readonly log: Log;
  readonly clock: Clock;
  /** Null where this process runs no lines. */
  readonly attach: ((lineRef: number, attached: Attached) => Promise<AttachEnd>) | null;
  readonly isStopping: () => boolean;
}

export interface Bridge {
  /** Takes nobody any more. Those whose line has not stopped by itself within this time are ended. */
  close(withinMs: number): Promise<void>;
}

interface Connection {
  readonly token: string;
  readonly device: KnownDevice;
  readonly socket: FrameSocket;
}

/** Whether a request wants what only this bridge does with a connection. */
export function isForBridge(request: IncomingMessage): boolean {
  return request.url?.split('?')[0] === CONNECT_PATH && request.headers.upgrade?.toLowerCase() === 'websocket';
}

export function startBridge(server: Server, deps: BridgeDeps): Bridge {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: FRAME_MAX_BYTES, perMessageDeflate: false });
  const connections = new Map<Connection, Promise<void>>();

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    // Before Node knew whom to ask, it took every upgrade for one that is wanted.
    if (!isForBridge(request)) return answerPlainly(server, request, stream);
    stream.on('error', () => stream.destroy());
    admit(request, stream, head).catch((error: unknown) => {
      deps.log.error({ err: error }, 'an agent could not be let in');
      refuse(stream, 503);
    });
  });

  async function admit(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    if (deps.isStopping() || deps.attach === null) return refuse(stream, 503);
    const token = tokenIn(request.headers);
    const device = await findDevice(deps.engine, token);
    if (!device) {
      const wait = deps.failedAttempts.note(request.socket.remoteAddress ?? '');
      return refuse(stream, wait === null ? 401 : 429);
    }
    sockets.handleUpgrade(request, stream, head, (webSocket) => {
      const connection = { token, device, socket: wrapSocket(webSocket, request.socket) };
      const served = serve(deps, connection).catch((error: unknown) => {
        deps.log.error({ err: error, device: device.id }, 'an agent could not be served');
        connection.socket.close(CLOSE.goingAway, 'The server ran into an error.');
      });
      connections.set(connection, served);
      void served.then(() => connections.delete(connection));
    });
  }

  async function lookAgain(): Promise<void> {
    for (const { token, socket } of connections.keys()) {
      if (await findDevice(deps.engine, token)) continue;
      socket.close(CLOSE.refused, 'The token was revoked.');
    }
  }

  const look = () => {
    lookAgain().catch((error: unknown) => deps.log.warn({ err: error }, 'the tokens of agents could not be looked at'));
  };
  const stopListening = deps.engine.onWake((topic) => {
    if (topic === DEVICES_TOPIC) look();
  });
  const timer = setInterval(look, LOOK_EVERY_MS);

  return {
    async close(withinMs) {
      clearInterval(timer);
      stopListening();
      const cancel = deps.clock.after(withinMs, () => {
        for (const { socket } of connections.keys()) socket.close(CLOSE.goingAway, 'The server stops.');
      });
      await Promise.all(connections.values());
      cancel();
      sockets.close();
    },
  };
}

async function serve(deps: BridgeDeps, { device, socket }: Connection): Promise<void> {
  const hello = await firstFrame(socket);
  if (!hello) return;
  if (hello.version !== PROTOCOL_VERSION) {
    const what = `This server speaks version ${PROTOCOL_VERSION} and the agent ${hello.version}; update the older one.`;
    return socket.close(CLOSE.version, what);
  }
  const line = lineOfDevice(deps.registry, device, hello.line);
  if (!line) return socket.close(CLOSE.noLine, noLineReason(hello));
  const connectedAt = deps.clock.now();
  const note = (given: { disconnectedAt?: number; clockOffsetMs?: number }) =>
    deps.writer
      .write(noteDevices, {
        ref: device.ref,
        connectedAt,
        disconnectedAt: given.disconnectedAt ?? null,
        agent: { version: hello.agent.version, platform: hello.agent.platform },
        clockOffsetMs: given.clockOffsetMs ?? null,
      })
      .catch((error: unknown) => deps.log.warn({ err: error, device: device.id }, 'a device could not be noted'));
  await note({});
  await dropOldPieces(deps);
  const state = await attach(deps, line, hello, socket, (clockOffsetMs) => void note({ clockOffsetMs }));
  if (state === 'held') socket.close(CLOSE.held, 'Another agent has this line.');
  if (state === 'no_line') socket.close(CLOSE.noLine, noLineReason(hello));
  if (state === 'stopping') socket.close(CLOSE.goingAway, 'The server stops.');
  await note({ disconnectedAt: deps.clock.now() });
}

async function attach(
  { attach: attachLine }: BridgeDeps,
  line: Line,
  hello: Hello,
  socket: FrameSocket,
  onClock: (offsetMs: number) => void,
): Promise<AttachEnd> {
  if (attachLine === null) return 'no_line';
  const gone = new AbortController();
  void socket.ended.then(() => gone.abort());
  const { handle, service } = line;
  return attachLine(line.ref, {
    instance: hello.instance,
    createDriver: (context) => createRemoteDriver({ socket, line: { handle, service }, context, onClock }),
    signal: gone.signal,
  });
}

/** Null where the agent goes, says something else, or nothing. */
async function firstFrame(socket: FrameSocket): Promise<Hello | null> {
  const first = Promise.withResolvers<Hello | null>();
  const late = setTimeout(() => socket.close(CLOSE.badFrame, 'The agent said nothing.'), HELLO_WITHIN_MS);
  void socket.ended.then(() => first.resolve(null));
  socket.listen((data) => {
    const frame = readAgentFrame(data);
    if (frame.type !== 'hello') throw new Error('The first frame is a hello.');
    first.resolve(frame);
  });
  return first.promise.finally(() => clearTimeout(late));
}

function noLineReason({ line }: Hello): string {
  return line === null
    ? 'This device has no line that runs, or several: name one with --line.'
    : `This device has no line ${line} that runs.`;
}

const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

function refuse(stream: Duplex, status: number): void {
  stream.end(`HTTP/1.1 ${status} ${REASONS[status] ?? ''}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

function answerPlainly(server: Server, request: IncomingMessage, stream: Duplex): void {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(request.socket);
  response.on('finish', () => stream.end());
  server.emit('request', request, response);
}
