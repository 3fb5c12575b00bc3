/**
 * An open loop that does not care whether the server keeps up: so many requests a second over many connections, each of
 * which waits for its answer. What falls due while every connection waits is held back and counted.
 */
import { connect, type Socket } from 'node:net';
import { monotonicMs } from '../monotonic.ts';
import { createLatencies, type Percentiles } from '../percentiles.ts';
import { createAnswerReader, type LoadRequest, renderRequest } from './answers.ts';

const TICK_MS = 5;
const LATENCIES_MAX = 2_000_000;
const CREATED = 201;

export interface Overload {
  readonly origin: string;
  readonly key: string;
  readonly connections: number;
  readonly requests: readonly LoadRequest[];
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Overloaded {
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Of the answers that accepted. */
  readonly accepted: Percentiles;
  /** Connections that the server closed or refused; each is opened again. */
  readonly broken: number;
  /** Requests that were due while no connection was free. */
  readonly heldBack: number;
}

export async function runOverload(load: Overload): Promise<Overloaded> {
  const requests = load.requests.map((request) => renderRequest(load, request));
  const statuses: Record<string, number> = {};
  const latencies = createLatencies(LATENCIES_MAX);
  const free: Line[] = [];
  const lines = new Set<Line>();
  let broken = 0;
  let heldBack = 0;
  let sent = 0;
  let isOver = false;

  function open(): void {
    const line = openLine(load.origin, {
      onFree: () => free.push(line),
      onAnswer: (status, ms) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === CREATED) latencies.add(ms);
      },
      onBroken: () => {
        lines.delete(line);
        const place = free.indexOf(line);
        if (place >= 0) free.splice(place, 1);
        if (isOver) return;
        broken++;
        setTimeout(open, TICK_MS);
      },
    });
    lines.add(line);
  }

  for (let index = 0; index < load.connections; index++) open();
  const startedAt = monotonicMs();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = monotonicMs() - startedAt;
      const due = Math.floor((Math.min(elapsed, load.seconds * 1_000) / 1_000) * load.perSecond);
      while (sent + heldBack < due) {
        const line = free.pop();
        const request = requests[sent % requests.length];
        if (line && request) {
          line.send(request);
          sent++;
        } else heldBack++;
      }
      if (elapsed < load.seconds * 1_000) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  isOver = true;
  for (const line of lines) line.close();
  return { statuses, accepted: latencies.percentiles(), broken, heldBack };
}

interface Line {
  send(request: Buffer): void;
  close(): void;
}

interface LineEvents {
  onFree(): void;
  onAnswer(status: number, ms: number): void;
  onBroken(): void;
}

function openLine(origin: string, events: LineEvents): Line {
  const { hostname, port } = new URL(origin);
  const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let sentAt = 0;
  const readChunk = createAnswerReader((status) => {
    events.onAnswer(status, monotonicMs() - sentAt);
    events.onFree();
  });
  socket.once('connect', events.onFree);
  socket.on('data', (chunk: Buffer) => {
    try {
      readChunk(chunk);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error('An answer could not be read.'));
    }
  });
  // The end of the connection says all that an error would.
  socket.on('error', () => socket.destroy());
  socket.on('close', events.onBroken);
  return {
    send(request) {
      sentAt = monotonicMs();
      socket.write(request);
    },
    close: () => socket.destroy(),
  };
}
