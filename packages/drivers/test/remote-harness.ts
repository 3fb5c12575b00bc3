/** A remote line as the conformance suite wants it: both ends, a real WebSocket between them, and any driver inside. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { LineHarness } from '../src/conformance.ts';
import type { DriverContext, LineDriver } from '../src/line-driver.ts';
import { runAgent } from '../src/remote/agent.ts';
import { type FrameSocket, wrapSocket } from '../src/remote/frame-socket.ts';
import { readAgentFrame } from '../src/remote/frames.ts';
import { createRemoteDriver } from '../src/remote/server-end.ts';

const PAUSE_MS = 5;

/** The inner harness's driver runs in an agent; what the suite is handed is the server's end. */
export async function makeRemoteHarness(inner: LineHarness): Promise<LineHarness> {
  const door = await openDoor();
  return {
    ...inner,
    createDriver: (context) => new DialledDriver(inner, door, context),
    async close() {
      await door.close();
      await inner.close();
    },
  };
}

interface Door {
  readonly address: URL;
  /** The connection of the agent of this name, after its hello. */
  agentOf(name: string): Promise<FrameSocket>;
  close(): Promise<void>;
}

async function openDoor(): Promise<Door> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  const waiting = new Map<string, PromiseWithResolvers<FrameSocket>>();
  const arrival = (name: string) => {
    const known = waiting.get(name) ?? Promise.withResolvers<FrameSocket>();
    waiting.set(name, known);
    return known;
  };
  sockets.on('connection', (socket, request) => {
    const frames = wrapSocket(socket, request.socket);
    frames.listen((data) => {
      const hello = readAgentFrame(data);
      if (hello.type === 'hello') arrival(hello.instance).resolve(frames);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: new URL(`http://127.0.0.1:${port}`),
    agentOf: (name) => arrival(name).promise,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.close();
      await once(server, 'close');
    },
  };
}

let agents = 0;

/** Each instance has an agent of its own, as each start of a driver follows a new connection. */
class DialledDriver implements LineDriver {
  readonly stopped: Promise<Error | null>;
  readonly #inner: LineHarness;
  readonly #door: Door;
  readonly #context: DriverContext;
  readonly #leaving = new AbortController();
  readonly #ended = Promise.withResolvers<Error | null>();
  #driver: LineDriver | null = null;

  constructor(inner: LineHarness, door: Door, context: DriverContext) {
    this.#inner = inner;
    this.#door = door;
    this.#context = context;
    this.stopped = this.#ended.promise;
  }

  get inFlight(): number {
    return this.#running.inFlight;
  }

  capabilities() {
    return this.#running.capabilities();
  }

  async start(cursor: string | null): Promise<void> {
    agents += 1;
    const instance = `agent ${agents}`;
    const agent = runAgent({
      server: this.#door.address,
      token: 'dtk_test',
      line: null,
      instance,
      agent: { version: '0', platform: 'test', driver: 'test' },
      createDriver: (_line, context) => this.#inner.createDriver(context),
      filesOf: () => this.#inner.files,
      now: this.#inner.now,
      random: this.#inner.random,
      log: () => undefined,
      signal: this.#leaving.signal,
      pauseMs: PAUSE_MS,
    });
    const socket = await this.#door.agentOf(instance);
    const line = { handle: this.#inner.line, service: 'imessage' } as const;
    const driver = createRemoteDriver({ socket, line, context: this.#context });
    this.#driver = driver;
    void driver.stopped.then(async (error) => {
      this.#leaving.abort();
      await agent;
      this.#ended.resolve(error);
    });
    await driver.start(cursor);
  }

  send: LineDriver['send'] = (command) => this.#running.send(command);
  find: LineDriver['find'] = (lost) => this.#running.find(lost);

  async stop(): Promise<void> {
    if (this.#driver === null) return this.#ended.resolve(null);
    await this.#driver.stop();
    await this.stopped;
  }

  get #running(): LineDriver {
    if (this.#driver === null) throw new Error('The driver was not started.');
    return this.#driver;
  }
}
