/** A whole server for a test, on either engine, and the things that tests do with one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type Clock, systemClock } from '../src/clock.ts';
import { type Config, readConfig } from '../src/config.ts';
import { noFailpoints } from '../src/domain/failpoint.ts';
import { FIRST_LINE, FIRST_PHONE } from '../src/first-start.ts';
import { createLog } from '../src/log.ts';
import { createServer, type Server, type ServerOptions } from '../src/server.ts';
import type { EngineKind } from '../src/store/database.ts';
import { findViolations } from '../src/store/invariants.ts';
import { expectDocumentedAnswer } from './documented.ts';
import type { FakeClock } from './fake-clock.ts';
import { createMigratedDatabase, createTestDatabase } from './postgres-database.ts';
import { fillFolder } from './sqlite-folder.ts';

export const ENGINES: readonly EngineKind[] = ['sqlite', 'postgres'];
export const KEY = 'sk_live_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG';
export const SECRET_KEY = 'c2VjcmV0IGtleSBvZiB0aGUgdGVzdHMsIDMyIGJ5dGU=';
export const LINE = FIRST_LINE;
export const PHONE = FIRST_PHONE;
export const SANDBOX_LINE = '+15550100000';

const WAIT_MS = 30_000;
const WAIT_POLL_MS = 5;

/** Where a server keeps its data: it outlives the server, so that a test can start a second one on it. */
export interface Home {
  readonly engine: EngineKind;
  readonly environment: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** Without tables for those who look at how a first start makes them; else they are copied, which is faster. */
export async function createHome(engine: EngineKind, tables: 'migrated' | 'none' = 'migrated'): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  const environment = { TRUNKLINE_DATA_DIR: folder };
  if (engine === 'sqlite') {
    if (tables === 'migrated') await fillFolder(folder);
    return { engine, environment, remove: removeFolder };
  }
  const create = tables === 'none' ? createTestDatabase : createMigratedDatabase;
  const database = await create(inject('postgresUrl'));
  const remove = async () => {
    await database.drop();
    await removeFolder();
  };
  return { engine, environment: { ...environment, TRUNKLINE_DATABASE_URL: database.url }, remove };
}

export interface TestOptions {
  readonly home?: Home;
  readonly environment?: Readonly<Record<string, string>>;
  /** With a fake clock, time moves by itself only while a server starts and while a call is answered. */
  readonly clock?: Clock | FakeClock;
  readonly failpoint?: ServerOptions['failpoint'];
  readonly random?: () => number;
  readonly lookup?: ServerOptions['lookup'];
  readonly simulatorTimings?: ServerOptions['simulatorTimings'];
  readonly httpLimits?: ServerOptions['httpLimits'];
  readonly log?: ServerOptions['log'];
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  /** The parsed JSON body. */
  readonly body: Record<string, unknown>;
}

export interface CallOptions {
  /** Null: no Authorization header. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestServer {
  readonly server: Server;
  readonly config: Config;
  readonly home: Home;
  call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    options?: CallOptions,
  ): Promise<Answer>;
  /** POST /v1/messages from the first line; gives the outbox item's id and refuses anything but 201. */
  send(text: string, to?: string): Promise<string>;
  /** A phone texts the first line. */
  text(text: string, from?: string): Promise<{ guid: string; chatId: string }>;
  outbox(id: string): Promise<Record<string, unknown>>;
  /** Waits until the item has that status, and gives it. */
  settled(id: string, status?: 'sent' | 'failed'): Promise<Record<string, unknown>>;
  phone(handle?: string): Promise<readonly Record<string, unknown>[]>;
  webhook(url: string, events?: readonly string[]): Promise<{ id: string; secret: string }>;
  /** Stops the server and checks the invariants; removes the home unless it was handed in. */
  stop(): Promise<void>;
}

export async function startTestServer(engine: EngineKind, options: TestOptions = {}): Promise<TestServer> {
  const home = options.home ?? (await createHome(engine));
  const config = readConfig({
    TRUNKLINE_PORT: '0',
    TRUNKLINE_BOOTSTRAP_API_KEY: KEY,
    TRUNKLINE_LOG_LEVEL: 'silent',
    TRUNKLINE_SECRET_KEY: SECRET_KEY,
    TRUNKLINE_RATE_LIMIT_PER_HOUR: '1000000',
    ...home.environment,
    ...options.environment,
  });
  const clock = options.clock ?? systemClock;
  const starting = createServer({
    config,
    clock,
    log: options.log ?? createLog(config.logLevel, false),
    failpoint: options.failpoint ?? noFailpoints,
    random: options.random ?? Math.random,
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
    ...(options.simulatorTimings === undefined ? {} : { simulatorTimings: options.simulatorTimings }),
    ...(options.httpLimits === undefined ? {} : { httpLimits: options.httpLimits }),
  });
  const server = await whileTimeMoves(clock, starting);

  const call: TestServer['call'] = async (method, path, body, { key = KEY, headers = {} } = {}) => {
    const answering = server.app.inject({
      method,
      url: path,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    const response = await whileTimeMoves(clock, answering);
    const answer = { status: response.statusCode, headers: response.headers, body: parseBody(response.body) };
    expectDocumentedAnswer(server.routes, { method, url: path, ...answer });
    return answer;
  };

  const outbox = async (id: string) => expectStatus(200, await call('GET', `/v1/outbox?id=${id}`)).body;

  return {
    server,
    config,
    home,
    call,
    outbox,
    async send(text, to = PHONE) {
      const answer = expectStatus(201, await call('POST', '/v1/messages', { from: LINE, to, text }));
      return String(answer.body['id']);
    },
    async text(text, from = PHONE) {
      const answer = expectStatus(201, await call('POST', '/simulator/v1/messages', { from, to: LINE, text }));
      return { guid: String(answer.body['guid']), chatId: String(answer.body['chat_id']) };
    },
    settled: (id, status = 'sent') =>
      waitFor(async () => {
        const item = await outbox(id);
        return item['status'] === status ? item : undefined;
      }, `outbox item to be ${status}`),
    async phone(handle = PHONE) {
      const path = `/simulator/v1/phones/${encodeURIComponent(handle)}/messages`;
      return expectStatus(200, await call('GET', path)).body['data'] as Record<string, unknown>[];
    },
    async webhook(url, events = ['message.received', 'message.sent']) {
      const { body } = expectStatus(201, await call('POST', '/v1/webhooks', { from: LINE, url, events }));
      return { id: String(body['id']), secret: String(body['secret']) };
    },
    async stop() {
      const violations = await findViolations(server.engine);
      await server.stop();
      if (!options.home) await home.remove();
      if (violations.length > 0) throw new Error(`Invariants are broken: ${JSON.stringify(violations)}`);
    },
  };
}

/** Fake time must move for what waits by the clock inside a call; a little of it, so that nothing else falls due. */
async function whileTimeMoves<T>(clock: Clock | FakeClock, work: PromiseLike<T>): Promise<T> {
  if (!('advance' in clock)) return work;
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  work.then(over, over);
  while (!isOver) await clock.advance(1);
  return work;
}

/** Polls until the check gives something. Real time: for what goes on in sockets and databases. */
export async function waitFor<T>(check: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const result = await check();
    if (result !== undefined) return result;
    if (performance.now() > deadline) throw new Error(`Waited ${WAIT_MS / 1000} s for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, WAIT_POLL_MS));
  }
}

export function expectStatus(status: number, answer: Answer): Answer {
  if (answer.status !== status) {
    throw new Error(`Expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
  return answer;
}

function parseBody(text: string): Record<string, unknown> {
  const parsed: unknown = text === '' ? {} : JSON.parse(text);
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
}
