/** The webhook receiver: takes deliveries in its own process, counts them, and checks the signature of one in sixteen. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveCalls } from './calls.ts';
import { readStamp } from './load/stamp.ts';
import { monotonicMs } from './monotonic.ts';
import { createLatencies, type Percentiles } from './percentiles.ts';

const VERIFY_ONE_IN = 16;
const LATENCIES_MAX = 1_000_000;

/** Since the last `clear`. */
export interface ReceiverReport {
  /** Different outbox items whose messages were announced as sent. */
  readonly sent: number;
  /** Different stamped texts that were announced as received, and how long they took from their stamp to here. */
  readonly received: number;
  readonly latency: Percentiles;
  /** What was announced more than once. */
  readonly duplicates: number;
  readonly verified: number;
  readonly badSignatures: number;
  /** When the last delivery came, by the monotonic clock. */
  readonly lastAt: number;
}

/** As much of a message event's data as is looked at. */
interface Announced {
  readonly id: string;
  readonly outbox_id: string | null;
  readonly text: string | null;
}

let secret = '';
const sent = new Set<string>();
const received = new Set<string>();
const latencies = createLatencies(LATENCIES_MAX);
let count = 0;
let duplicates = 0;
let verified = 0;
let badSignatures = 0;
let lastAt = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const at = monotonicMs();
    const [only] = chunks;
    const body = (chunks.length === 1 && only ? only : Buffer.concat(chunks)).toString('utf8');
    if (request.url === '/webhook') take(request.headers, body, at);
    response.writeHead(204).end();
  });
});

function take(headers: IncomingHttpHeaders, body: string, at: number): void {
  lastAt = at;
  if (count++ % VERIFY_ONE_IN === 0) verify(headers, body);
  const { event, data } = JSON.parse(body) as { event: string; data: Announced };
  if (event === 'message.sent') {
    note(sent, data.outbox_id ?? data.id);
    return;
  }
  const dueAt = readStamp(data.text ?? '');
  if (event !== 'message.received' || dueAt === null) return;
  latencies.add(at - dueAt);
  note(received, data.id);
}

function note(seen: Set<string>, id: string): void {
  if (seen.has(id)) duplicates++;
  else seen.add(id);
}

function verify(headers: IncomingHttpHeaders, body: string): void {
  const expected = createHmac('sha256', secret).update(`${headers['x-webhook-timestamp']}.${body}`).digest('hex');
  verified++;
  if (headers['x-webhook-signature'] !== expected) badSignatures++;
}

const RECEIVER_CALLS = {
  /** Listens, and gives the origin. `/webhook` is for deliveries; every other path only answers. */
  listen: async (_: null): Promise<string> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  },
  useSecret: async (shown: string): Promise<void> => {
    secret = shown;
  },
  clear: async (_: null): Promise<void> => {
    sent.clear();
    received.clear();
    latencies.clear();
    duplicates = 0;
    verified = 0;
    badSignatures = 0;
    lastAt = 0;
  },
  report: async (_: null): Promise<ReceiverReport> => ({
    sent: sent.size,
    received: received.size,
    latency: latencies.percentiles(),
    duplicates,
    verified,
    badSignatures,
    lastAt,
  }),
} as const;
export type ReceiverCalls = typeof RECEIVER_CALLS;

serveCalls(RECEIVER_CALLS);
