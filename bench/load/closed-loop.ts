/**
 * A closed loop: each connection sends its next request when the answer to the last one is in. Written on plain
 * sockets: a client that costs as much as the server it loads would measure itself.
 */
import { connect, type Socket } from 'node:net';
import { monotonicMs } from '../monotonic.ts';
import { createLatencies, type Percentiles } from '../percentiles.ts';
import { createAnswerReader, type LoadRequest, renderRequest } from './answers.ts';

const LATENCIES_PER_SECOND = 100_000;
const LATENCIES_WITHOUT_TIME = 5_000_000;

export interface ClosedLoop {
  readonly origin: string;
  readonly key: string;
  readonly connections: number;
  /** Sent in turn. */
  readonly requests: readonly LoadRequest[];
  /** Any other status ends the measurement. */
  readonly status: number;
  readonly warmUpSeconds: number;
  /** How long to measure after that; or how many requests to send in all. */
  readonly until: { readonly seconds: number } | { readonly requests: number };
}

export interface Loaded extends Percentiles {
  /** Of what was measured, without the warm-up. */
  readonly perSecond: number;
  /** Every right answer, from the first request to the last. */
  readonly answered: number;
  /** By the monotonic clock. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export async function runClosedLoop(loop: ClosedLoop): Promise<Loaded> {
  const { until } = loop;
  const seconds = 'seconds' in until ? until.seconds : Number.POSITIVE_INFINITY;
  const requestsMax = 'requests' in until ? until.requests : Number.POSITIVE_INFINITY;
  const requests = loop.requests.map((request) => renderRequest(loop, request));
  const latencies = createLatencies('seconds' in until ? seconds * LATENCIES_PER_SECOND : LATENCIES_WITHOUT_TIME);
  const startedAt = monotonicMs();
  const measureFrom = startedAt + loop.warmUpSeconds * 1_000;
  const measureUntil = measureFrom + seconds * 1_000;
  let sent = 0;
  let answered = 0;
  let endedAt = startedAt;

  const source: RequestSource = {
    next() {
      if (sent >= requestsMax || monotonicMs() >= measureUntil) return null;
      return requests[sent++ % requests.length] ?? null;
    },
    answered(sentAt, status, text) {
      if (status !== loop.status) throw new Error(`${loop.origin} answered ${status}: ${text()}`);
      const now = monotonicMs();
      answered++;
      endedAt = now;
      if (sentAt >= measureFrom && now <= measureUntil) latencies.add(now - sentAt);
    },
  };
  const { hostname, port } = new URL(loop.origin);
  await Promise.all(Array.from({ length: loop.connections }, () => runConnection(hostname, Number(port), source)));
  const percentiles = latencies.percentiles();
  const measuredMs = Math.min(measureUntil, endedAt) - measureFrom;
  return { ...percentiles, perSecond: percentiles.count / (measuredMs / 1_000), answered, startedAt, endedAt };
}

interface RequestSource {
  /** Null when there is nothing more to send. */
  next(): Buffer | null;
  answered(sentAt: number, status: number, text: () => string): void;
}

/** Resolves when the source has nothing more and the last answer is in. */
function runConnection(host: string, port: number, source: RequestSource): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket: Socket = connect({ host, port, noDelay: true });
  let sentAt = 0;
  let isDone = false;
  const sendNext = () => {
    const request = source.next();
    if (request) {
      sentAt = monotonicMs();
      socket.write(request);
      return;
    }
    isDone = true;
    socket.destroy();
    resolve();
  };
  const readChunk = createAnswerReader((status, text) => {
    source.answered(sentAt, status, text);
    sendNext();
  });
  socket.on('data', (chunk: Buffer) => {
    try {
      readChunk(chunk);
    } catch (error) {
      isDone = true;
      socket.destroy();
      reject(error);
    }
  });
  socket.once('connect', sendNext);
  socket.on('error', reject);
  socket.on('close', () => {
    if (!isDone) reject(new Error(`${host}:${port} closed a connection.`));
  });
  return promise;
}
