/** The server under measurement, started as a user starts it, and what must be there before it can be measured. */
import { join } from 'node:path';
import { Pool } from 'undici';
import { FIRST_LINE } from '../packages/server/src/first-start.ts';
import type { Home } from './home.ts';
import type { LoadRequest } from './load/answers.ts';
import { postText } from './load/post-text.ts';
import { type Program, startProgram } from './programs.ts';
import type { Receiver } from './receiver.ts';

export const MAIN = join(import.meta.dirname, '../packages/server/src/main.ts');
export const KEY = 'sk_live_0123456789abcdefghijklmnopqrstuvwxyzBENCH00';
export const LINE = FIRST_LINE;
const SECRET_KEY = 'c2VjcmV0IGtleSBvZiB0aGUgYmVuY2gsIDMyIGJ5dGU=';
const UNLIMITED = '1000000000';

const PHONES = 200;
const TEXTING_CONNECTIONS = 16;

/** Phones without a meaning of their own; each has a chat with the line once it has texted. */
export const PHONE_HANDLES: readonly string[] = Array.from(
  { length: PHONES },
  (_, index) => `+1555011${String(index).padStart(4, '0')}`,
);

/** Sends to all phones in turn; bare servers are given the same ones. */
export const SENDS: readonly LoadRequest[] = PHONE_HANDLES.map((to) => ({
  method: 'POST',
  path: '/v1/messages',
  body: JSON.stringify({ from: LINE, to, text: 'Your table for two is booked for 19:30 tonight. See you there!' }),
}));

export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** For Node itself, before the script. */
  readonly nodeArguments?: readonly string[];
}

export function startTrunkline(home: Home, options: StartOptions = {}): Promise<Program> {
  return startProgram([...(options.nodeArguments ?? []), MAIN], {
    TRUNKLINE_PORT: '0',
    TRUNKLINE_BOOTSTRAP_API_KEY: KEY,
    TRUNKLINE_LOG_LEVEL: 'error',
    TRUNKLINE_SECRET_KEY: SECRET_KEY,
    TRUNKLINE_RATE_LIMIT_PER_HOUR: UNLIMITED,
    ...home.environment,
    ...options.environment,
  });
}

/** Every phone texts the line once: from then on it may be sent to. */
export async function textFromPhones(origin: string): Promise<void> {
  const pool = new Pool(origin, { connections: TEXTING_CONNECTIONS, pipelining: 1 });
  await Promise.all(PHONE_HANDLES.map((from) => postText(pool, { key: KEY, line: LINE }, from, 'Hello')));
  await pool.close();
}

/** Starts a server once so that it makes its line, and lets the phones text it. */
export async function prepareHome(home: Home): Promise<void> {
  const server = await startTrunkline(home);
  await textFromPhones(server.origin);
  await server.stop();
}

/** A webhook for both events, its secret handed to the receiver. */
export async function addWebhook(origin: string, receiver: Receiver): Promise<void> {
  const answer = await fetch(`${origin}/v1/webhooks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ from: LINE, url: receiver.webhookUrl, events: ['message.received', 'message.sent'] }),
  });
  const body = (await answer.json()) as { secret?: string };
  if (answer.status !== 201 || body.secret === undefined) throw new Error(`No webhook: ${JSON.stringify(body)}`);
  await receiver.useSecret(body.secret);
}
