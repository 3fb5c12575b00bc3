/** The composition root: builds everything and hands each part what it needs. Nothing else knows the whole. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import {
  createSimulatorDriver,
  createSimulatorNetwork,
  meaningOf,
  type SimulatorNetwork,
  type Timings,
} from '@trunkline/drivers';
import type { FastifyInstance } from 'fastify';
import { createAuthenticator } from './access/authenticate.ts';
import { createFailedAttempts } from './access/failed-attempts.ts';
import { startRateLimits } from './access/rate-limits.ts';
import { openSecretBox } from './access/secret-key.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { ReachFailpoint } from './domain/failpoint.ts';
import { LINK_VALID_MS } from './domain/file.ts';
import { createFileLinks, type FileLinks } from './domain/file-links.ts';
import { createIds, type Ids } from './domain/ids.ts';
import type { Line } from './domain/line.ts';
import type { SecretBox } from './domain/secret-box.ts';
import { startRetention } from './events/retention.ts';
import type { EventStream } from './events/stream.ts';
import { startTail } from './events/tail.ts';
import { createTranscoder, type Transcoder } from './files/audio/transcoder.ts';
import type { Blobs } from './files/blobs.ts';
import { createFetcher, type Fetcher } from './files/fetcher.ts';
import { createLineFiles } from './files/line-files.ts';
import { openBlobs } from './files/open-blobs.ts';
import { FIRST_LINE, greet, prepareFirstStart } from './first-start.ts';
import { deliveryRoutes } from './http/admin/deliveries.ts';
import { deviceRoutes } from './http/admin/devices.ts';
import { keyRoutes } from './http/admin/keys.ts';
import { adminLineRoutes } from './http/admin/lines.ts';
import { walkRoutes } from './http/admin/walks.ts';
import { adminWebhookRoutes } from './http/admin/webhooks.ts';
import { createApp } from './http/app.ts';
import { isForBridge, startBridge } from './http/bridge/connections.ts';
import { addBridgeFiles, BRIDGE_FILE_ROUTES } from './http/bridge/files.ts';
import type { Pages } from './http/docs/pages.ts';
import type { Documents } from './http/documents.ts';
import type { HttpLimits } from './http/http-limits.ts';
import { createLostAnswers } from './http/lost-answers.ts';
import type { Route } from './http/route.ts';
import { sendblueRoutes } from './http/sendblue/routes.ts';
import { simulatorRoutes } from './http/simulator/phones.ts';
import { audioMessageRoutes } from './http/v1/audio-messages.ts';
import { chatRoutes } from './http/v1/chats.ts';
import { type EventDeps, eventRoutes } from './http/v1/events.ts';
import { fileRoutes } from './http/v1/files.ts';
import { lineRoutes } from './http/v1/lines.ts';
import { messageRoutes } from './http/v1/messages.ts';
import { outboxRoutes } from './http/v1/outbox.ts';
import { presenceRoutes } from './http/v1/presence.ts';
import { reactionRoutes } from './http/v1/reactions.ts';
import { sandboxRoutes } from './http/v1/sandbox.ts';
import { webhookRoutes } from './http/v1/webhooks.ts';
import { createLineRegistry, type LineRegistry } from './lines/registry.ts';
import { type Supervisor, startSupervisor } from './lines/supervisor.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics/metrics.ts';
import { createNetworkGuard, type NetworkGuard } from './network/guard.ts';
import { type Lookup, systemLookup } from './network/resolver.ts';
import { createLineOutbox } from './outbox/line-outbox.ts';
import { startTimeLimits } from './outbox/time-limits.ts';
import { openDataFolder } from './store/data-folder.ts';
import type { Engine } from './store/database.ts';
import { findKnownFiles } from './store/files.ts';
import { keepFirst } from './store/installation.ts';
import { type Databases, openPostgresDatabases, openSqliteFolder, SECRET_KEY_FILE, SERVER_FILE } from './store/open.ts';
import { findKnownParts } from './store/upload-parts.ts';
import { asWireDatabase } from './store/wire-database.ts';
import { createWriter, type Writer } from './store/writer.ts';
import { startDeliverer } from './webhooks/deliverer.ts';
import type { LinkFile } from './wire/v1.ts';

/** How long a stop waits for requests that are under way; a client that is slow to send its own is cut off then. */
const REQUESTS_FINISH_WITHIN_MS = 3_000;
/** Nothing touches an upload that was left behind; on PostgreSQL one that was touched since may be another process's. */
const LEFT_BEHIND_MS = 60 * 60_000;

export interface ServerOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoint: ReachFailpoint;
  /** In [0, 1). */
  readonly random: () => number;
  /** Resolves the names of those who are called, where the machine's own way is not wanted. */
  readonly lookup?: Lookup;
  /** How long things take in the simulated network, where they are not to take as long as in life. */
  readonly simulatorTimings?: Partial<Timings>;
  /** Where other limits hold than in life. */
  readonly httpLimits?: Partial<HttpLimits>;
}

export interface Server {
  readonly app: FastifyInstance;
  readonly engine: Engine;
  readonly writer: Writer;
  readonly network: SimulatorNetwork | null;
  /** What it answers: tests of access and of bad input are made from these rows. */
  readonly routes: readonly Route[];
  /** The first key, to be shown once, where this start made it. */
  readonly firstKey: string | null;
  /** The name under which this process holds its leases. */
  readonly holder: string;
  /** Listens, where the process has the role `api`, and gives the address. */
  listen(): Promise<string | null>;
  /** Resolves when the database can no longer be trusted: nothing is accepted any more, and only a new start helps. */
  readonly broken: Promise<Error>;
  /** From now on requests are refused and their connections told to close; what was accepted goes on. */
  refuseRequests(): void;
  /** Finishes what is under way, hands back what was claimed, and closes the database. */
  stop(): Promise<void>;
}

/** What the parts share. */
interface Shared extends ServerOptions {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly ids: Ids;
  readonly registry: LineRegistry;
  readonly network: SimulatorNetwork | null;
  readonly holder: string;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly secrets: SecretBox;
  readonly guard: NetworkGuard;
  readonly metrics: Metrics | null;
  readonly linkFile: LinkFile;
  readonly blobs: Blobs;
  readonly fetcher: Fetcher;
  readonly transcoder: Transcoder;
  readonly links: FileLinks;
}

interface Part {
  stop(): Promise<void>;
}

export async function createServer(options: ServerOptions): Promise<Server> {
  const databases = await openDatabases(options.config);
  try {
    return await buildServer(options, databases);
  } catch (error) {
    // Whoever mends what was wrong starts again on the same folder.
    await databases.close();
    throw error;
  }
}

async function buildServer(options: ServerOptions, databases: Databases): Promise<Server> {
  const { config, clock } = options;
  const metrics = config.metrics ? await openMetrics(config, clock) : null;
  const engine = metrics?.watchEngine(databases.server) ?? databases.server;
  const ids = createIds(clock.now, randomBytes);
  const secretFile = () => openDataFolder(config.dataDir).file(SECRET_KEY_FILE);
  const secrets = await openSecretBox({ engine, randomBytes, given: config.secretKey, file: secretFile });
  let app: FastifyInstance | null = null;
  const baseUrl = () => addressOf(config, app).replace(/\/+$/, '');
  const links = createFileLinks({ key: secrets.keyFor('file links'), baseUrl, now: clock.now });
  const linkFile: LinkFile = ({ id, filename }) => links.url(id, filename, LINK_VALID_MS);
  const plainWriter = createWriter(engine, ids, linkFile);
  const writer = metrics?.watchWriter(plainWriter) ?? plainWriter;
  const first = { engine, writer, ids, clock, randomBytes };
  const firstKey = await prepareFirstStart(first, config);
  const network = config.simulator ? await openSimulator(options, databases, ids) : null;
  const registry = await createLineRegistry(engine, (line) => line.kind !== 'simulator' || config.simulator);
  const lookup = options.lookup ?? systemLookup;
  const guard = createNetworkGuard({ networks: config.sinkNetworks, lookup, clock });
  const blobs = await openSweptBlobs(options, engine);
  const fetcher = createFetcher({ ...options, guard, blobs, ids, fileLimitMb: config.fileLimitMb });
  const files = { blobs, fetcher, transcoder: createTranscoder(), links, linkFile };
  const parts = { engine, writer, ids, registry, network, secrets, guard, metrics, ...files };
  const shared: Shared = { ...options, ...parts, holder: randomUUID(), randomBytes };

  let isStopping = false;
  const { parts: workers, supervisor } = await startWorkers(shared);
  if (network && config.roles.includes('lines')) await greet(network, engine, clock, await registry.find(FIRST_LINE));
  const api = await createApi(shared, () => isStopping, supervisor);
  app = api.app;

  return {
    app: api.app,
    engine,
    writer,
    network,
    routes: api.routes,
    firstKey,
    holder: shared.holder,
    async listen() {
      if (!config.roles.includes('api')) return null;
      await api.app.listen({ host: config.host, port: config.port });
      return addressOf(config, api.app);
    },
    broken: databases.broken,
    refuseRequests() {
      isStopping = true;
    },
    async stop() {
      isStopping = true;
      // Side by side: a client that is slow to send its request must not take the time that hand-overs may need.
      const closed = api.close();
      for (const worker of workers) await worker.stop();
      await closed;
      await writer.idle();
      registry.close();
      await databases.close();
    },
  };
}

async function openDatabases(config: Config): Promise<Databases> {
  if (config.databaseUrl !== null) return openPostgresDatabases(config.databaseUrl);
  const folder = openDataFolder(config.dataDir);
  return openSqliteFolder(folder.file);
}

/** The start goes on where it cannot be tidied up, as while a bucket is away. */
async function openSweptBlobs({ config, clock, log }: ServerOptions, engine: Engine): Promise<Blobs> {
  const blobs = await openBlobs(config.dataDir, config.bucket);
  const before = engine.kind === 'sqlite' ? Number.POSITIVE_INFINITY : clock.now() - LEFT_BEHIND_MS;
  await blobs
    .sweep({ known: (names) => findKnownBlobs(engine, names), before })
    .catch((error: unknown) => log.warn({ err: error }, 'uploads that were cut short could not be removed'));
  return blobs;
}

async function findKnownBlobs(engine: Engine, names: readonly string[]): Promise<ReadonlySet<string>> {
  return new Set([...(await findKnownFiles(engine, names)), ...(await findKnownParts(engine, names))]);
}

/** Loaded only where it is wanted: most installations look at no metrics, and counting costs start-up time and memory. */
async function openMetrics(config: Config, clock: Clock): Promise<Metrics> {
  const { createMetrics } = await import('./metrics/metrics.ts');
  const walFile = config.databaseUrl === null ? `${openDataFolder(config.dataDir).file(SERVER_FILE)}-wal` : null;
  return createMetrics({ clock, walFile });
}

async function openSimulator(options: ServerOptions, databases: Databases, ids: Ids): Promise<SimulatorNetwork> {
  const network = createSimulatorNetwork({
    database: asWireDatabase(databases.simulator),
    now: options.clock.now,
    random: options.random,
    newGuid: () => ids.uuid().toUpperCase(),
    timings: options.simulatorTimings ?? {},
  });
  await network.open();
  return network;
}

/** The roles `lines` and `worker`. Stopped in this order: first what hands over, then what delivers. */
async function startWorkers(
  shared: Shared,
): Promise<{ readonly parts: readonly Part[]; readonly supervisor: Supervisor | null }> {
  const { roles } = shared.config;
  const parts: Part[] = [];
  const supervisor = roles.includes('lines') ? startLines(shared) : null;
  if (supervisor) parts.push(supervisor);
  if (roles.includes('worker')) {
    parts.push(startTimeLimits(shared), startRetention(shared, shared.config.retentionDays));
    parts.push(await startDeliverer(shared));
  }
  return { parts, supervisor };
}

function startLines(shared: Shared): Supervisor {
  return startSupervisor({
    ...shared,
    outbox: createLineOutbox(shared),
    filesOf: createLineFiles({ ...shared, fileLimitMb: shared.config.fileLimitMb }),
    createDriver: (line, context) =>
      createSimulatorDriver({
        network: simulatorOf(shared),
        line: line.handle,
        service: line.service,
        context: shared.metrics?.watchLine(context) ?? context,
      }),
  });
}

function simulatorOf(shared: Shared): SimulatorNetwork {
  if (!shared.network) throw new Error('A simulated line cannot run while the simulator is off.');
  return shared.network;
}

async function createApi(
  shared: Shared,
  isStopping: () => boolean,
  supervisor: Supervisor | null,
): Promise<{ app: FastifyInstance; routes: readonly Route[]; close: () => Promise<void> }> {
  const { engine, clock, log, config } = shared;
  const authenticator = createAuthenticator(engine, clock);
  const rateLimits = startRateLimits(shared);
  const lostAnswers = createLostAnswers(shared);
  const onError = (error: unknown) => log.error({ err: error }, 'the event stream ran into an error');
  const tail = await startTail(engine, clock, onError);
  const epoch = await keepFirst(engine, 'epoch', randomBytes(6).toString('hex'));
  const streams = new Set<EventStream>();
  shared.metrics?.watchStreams(() => streams.size);
  const routes = listRoutes(shared, { authenticator, tail, epoch, streams, onError });
  const failedAttempts = createFailedAttempts(clock);
  const { fileLimitMb } = config;
  const bridging = { ...shared, fileLimitMb, failedAttempts, attach: supervisor?.attach ?? null, isStopping };
  const health = { database: () => engine.ping(), roles: config.roles, isStopping };
  const app = createApp({
    ...shared,
    authenticator,
    rateLimits,
    failedAttempts,
    lostAnswers,
    routes,
    health,
    documents: createDocuments(routes, config.publicUrl ?? '/'),
    bridge: {
      routes: BRIDGE_FILE_ROUTES,
      addFiles: (files, slowUploads) => addBridgeFiles(files, bridging, slowUploads),
      wantsConnection: isForBridge,
    },
    queuedWrites: shared.writer.queued,
    fileLimitMb: config.fileLimitMb,
    limits: shared.httpLimits ?? {},
  });
  const bridge = startBridge(app.server, bridging);
  return {
    app,
    routes,
    async close() {
      for (const stream of streams) stream.close();
      const bridged = bridge.close(REQUESTS_FINISH_WITHIN_MS);
      const silent = shared.transcoder.close();
      shared.fetcher.close();
      const cancel = clock.after(REQUESTS_FINISH_WITHIN_MS, () => app.server.closeAllConnections());
      await bridged;
      await app.close();
      cancel();
      await tail.close();
      authenticator.close();
      await rateLimits.stop();
      await lostAnswers.stop();
      await silent;
    },
  };
}

type Streaming = Omit<EventDeps, keyof Shared>;

function listRoutes(shared: Shared, streaming: Streaming): Route[] {
  const mayBeCold = (line: Line, to: { kind: string; handle?: string }) =>
    line.kind === 'simulator' && meaningOf({ identifier: to.handle ?? '', isGroup: false }) !== 'ordinary';
  const sending = { ...shared, mayBeCold };
  return [
    ...lineRoutes(shared),
    ...chatRoutes(shared),
    ...messageRoutes(sending),
    ...audioMessageRoutes(sending),
    ...reactionRoutes(sending),
    ...presenceRoutes(sending),
    ...outboxRoutes(shared),
    ...webhookRoutes(shared),
    ...fileRoutes(shared),
    ...sandboxRoutes(shared),
    ...eventRoutes({ ...shared, ...streaming }),
    ...sendblueRoutes(sending),
    ...keyRoutes({ ...shared, rateLimitPerHour: shared.config.rateLimitPerHour }),
    ...deviceRoutes(shared),
    ...adminLineRoutes({ ...shared, drivers: [...(shared.network ? (['simulator'] as const) : []), 'remote'] }),
    ...adminWebhookRoutes(shared),
    ...deliveryRoutes(shared),
    ...walkRoutes(shared),
    ...(shared.network ? simulatorRoutes({ ...shared, network: shared.network }) : []),
  ];
}

/** Loaded and rendered when somebody asks for them, and then kept. */
function createDocuments(routes: readonly Route[], address: string): Documents {
  let pages: Promise<Pages> | null = null;
  const render = () => {
    pages ??= import('./http/docs/pages.ts').then(({ createPages }) => createPages(routes, address));
    return pages;
  };
  return { openApi: async () => (await render()).openApi, docs: async () => (await render()).docs };
}

function addressOf(config: Config, app: FastifyInstance | null): string {
  const address: AddressInfo | string | null = app?.server.address() ?? null;
  const port = typeof address === 'object' && address !== null ? address.port : config.port;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return config.publicUrl ?? `http://${host}:${port}`;
}
