/**
 * The agent: dials in to the server from the computer that has the line, and again whenever the connection ends. It needs
 * no open port.
 */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { runSession, type SessionLine, type SessionOptions } from './agent-session.ts';
import { type Ended, wrapSocket } from './frame-socket.ts';
import { type AgentFrame, CLOSE, CONNECT_PATH, FRAME_MAX_BYTES, PROTOCOL_VERSION } from './frames.ts';

const CONNECT_WITHIN_MS = 15_000;
const AGAIN_FIRST_MS = 500;
const AGAIN_MAX_MS = 30_000;

export interface AgentOptions extends Omit<SessionOptions, 'socket' | 'onReady'> {
  /** The server's address, `http:` or `https:`. */
  readonly server: URL;
  readonly token: string;
  /** The line's handle; null where the device has one alone. */
  readonly line: string | null;
  /** Names this agent over its restarts. */
  readonly instance: string;
  readonly agent: { readonly version: string; readonly platform: string; readonly driver: string };
  /** Before the first repetition; it doubles up to half a minute. Default: half a second. */
  readonly pauseMs?: number;
  readonly onState?: (state: AgentState) => void;
}

export type AgentState =
  | { readonly state: 'connecting' }
  | { readonly state: 'connected'; readonly line: string; readonly since: number }
  | { readonly state: 'disconnected'; readonly reason: string };

/** The server will never take this agent: its token, its line or its version is not the right one. */
export class AgentRefusedError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'AgentRefusedError';
  }
}

const FOR_GOOD: readonly number[] = [CLOSE.refused, CLOSE.noLine, CLOSE.version];

/** Only this computer hears what goes over `http:` unencrypted. */
function refuseAddress(server: URL): string | null {
  if (server.protocol === 'https:') return null;
  if (server.protocol !== 'http:')
    return 'The address of the server begins with https:// (or http:// on this computer).';
  const host = server.hostname;
  const isLoopback = host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
  return isLoopback ? null : 'Over http:// an agent connects to its own computer alone; use https://.';
}

/** Resolves when the signal says so. Throws `AgentRefusedError`. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const refusal = refuseAddress(options.server);
  if (refusal !== null) throw new AgentRefusedError(refusal);
  const { signal, log, random, pauseMs: firstMs = AGAIN_FIRST_MS } = options;
  let pauseMs = firstMs;
  while (!signal.aborted) {
    options.onState?.({ state: 'connecting' });
    const onReady = (line: SessionLine) => {
      pauseMs = firstMs;
      log('info', 'Connected.', { line: line.handle });
      options.onState?.({ state: 'connected', line: line.handle, since: options.now() });
    };
    const { code, reason } = await connectOnce({ ...options, onReady });
    if (signal.aborted) return;
    const why = reason === '' ? `The connection ended with code ${code}.` : reason;
    options.onState?.({ state: 'disconnected', reason: why });
    if (FOR_GOOD.includes(code)) throw new AgentRefusedError(why);
    // Many agents whose server was away do not come back in one moment.
    const inMs = Math.round(pauseMs * (0.5 + random() / 2));
    log('warn', 'Not connected; trying again.', { reason: why, inMs });
    await sleep(inMs, undefined, { signal }).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, AGAIN_MAX_MS);
  }
}

async function connectOnce(options: AgentOptions & Pick<SessionOptions, 'onReady'>): Promise<Ended> {
  const socket = openSocket(options);
  const opened = await opening(socket, options.signal);
  if (!(opened instanceof Socket)) return opened;
  const frames = wrapSocket(socket, opened);
  const { line, instance, agent } = options;
  frames.send({ type: 'hello', version: PROTOCOL_VERSION, line, instance, agent } satisfies AgentFrame);
  return runSession({ ...options, socket: frames });
}

function openSocket({ server, token }: AgentOptions): WebSocket {
  const url = new URL(CONNECT_PATH, server);
  url.protocol = server.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(url, {
    headers: { authorization: `Bearer ${token}` },
    handshakeTimeout: CONNECT_WITHIN_MS,
    maxPayload: FRAME_MAX_BYTES,
    perMessageDeflate: false,
  });
}

/** What it reads from when it is open, or how it ended before. */
function opening(socket: WebSocket, signal: AbortSignal): Promise<Socket | Ended> {
  return new Promise((resolve) => {
    const give = (ended: Socket | Ended) => {
      signal.removeEventListener('abort', leave);
      resolve(ended);
    };
    const leave = () => {
      socket.terminate();
      give({ code: 1000, reason: 'The agent stops.' });
    };
    signal.addEventListener('abort', leave, { once: true });
    socket.once('upgrade', (response) => socket.once('open', () => give(response.socket)));
    socket.once('unexpected-response', (_request, response) => {
      const isRefused = response.statusCode === 401 || response.statusCode === 403;
      socket.terminate();
      give(
        isRefused
          ? { code: CLOSE.refused, reason: 'The server does not take this token: it is unknown, or was revoked.' }
          : { code: 1006, reason: `The server answered ${response.statusCode} instead of a connection.` },
      );
    });
    socket.once('error', (error) => give({ code: 1006, reason: error.message }));
  });
}
