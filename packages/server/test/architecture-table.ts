/** The shape of the repository as data. `architecture.ts` holds every source file against it. */

export const FILE_LINES_MAX = 400;
export const FUNCTION_LINES_MAX = 70;

/** A package exists only where the installer, the runtime or the allowed dependencies differ. */
export const PACKAGES = {
  sdk: { name: '@trunkline/sdk', imports: [] },
  drivers: { name: '@trunkline/drivers', imports: [] },
  server: { name: '@trunkline/server', imports: ['drivers', 'sdk'] },
  dashboard: { name: '@trunkline/dashboard', imports: ['sdk'] },
  cli: { name: 'trunkline', imports: ['sdk', 'drivers', 'server'] },
} as const satisfies Record<string, { name: string; imports: readonly string[] }>;

/** The folders under each package's `src`. An entry that ends with `/**` allows any folder below it. */
export const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  sdk: [],
  drivers: [
    'conformance',
    'simulator',
    'macos',
    'macos/chat-db',
    'macos/doctor',
    'macos/record',
    'macos/send',
    'macos/text',
    'imsg',
    'bluebubbles',
    'remote',
    'fixtures',
    'fixtures/**',
  ],
  server: [
    'domain',
    'wire',
    'store',
    'store/dialects',
    'store/dialects/sqlite',
    'store/dialects/postgres',
    'store/migrations',
    'network',
    'leases',
    'lines',
    'outbox',
    'events',
    'webhooks',
    'files',
    'files/audio',
    'access',
    'sandbox',
    'metrics',
    'http',
    'http/v1',
    'http/sendblue',
    'http/admin',
    'http/simulator',
    'http/docs',
    'http/bridge',
  ],
  dashboard: ['**'],
  cli: ['commands'],
};

const CAPABILITIES = ['leases', 'lines', 'outbox', 'events', 'webhooks', 'files', 'access', 'sandbox'] as const;
const BELOW_CAPABILITIES = ['network', 'store', 'wire', 'domain', 'drivers'] as const;
const BELOW_HTTP = [...CAPABILITIES, ...BELOW_CAPABILITIES] as const;

/** A capability that may import another one. Every entry is a sentence somebody can defend. */
const CAPABILITY_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  lines: ['leases'],
  // A file that comes from a URL is fetched as an item's first step.
  outbox: ['leases', 'lines', 'files'],
  webhooks: ['leases'],
  // Whose the shared line is, is asked by who names a line.
  sandbox: ['lines'],
};

/**
 * What each layer of the server may import besides itself. A layer is a top folder of `src`, an API dialect
 * (`http/v1`), or a file that stands directly in `src`. `drivers` is the whole of `@trunkline/drivers`, `vocabulary`
 * the names it takes from its vocabulary files. A layer that is not here may not exist.
 */
export const SERVER_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  domain: ['vocabulary'],
  wire: ['domain', 'vocabulary'],
  // What drivers report is written down as it was reported: the store knows the port's events.
  store: ['wire', 'domain', 'drivers'],
  // Whoever makes a request to an address that somebody else chose makes it through here.
  network: ['domain'],
  ...Object.fromEntries(
    CAPABILITIES.map((name) => [name, [...BELOW_CAPABILITIES, ...(CAPABILITY_IMPORTS[name] ?? [])]]),
  ),
  // It looks on: whoever is measured knows nothing of it, and `server.ts` puts it in between.
  metrics: BELOW_CAPABILITIES,
  http: BELOW_HTTP,
  'http/v1': ['http', ...BELOW_HTTP],
  'http/sendblue': ['http', ...BELOW_HTTP],
  'http/admin': ['http', ...BELOW_HTTP],
  'http/simulator': ['http', ...BELOW_HTTP],
  // Agents dial in here: what they bring is for the lines, by way of what http may use.
  'http/bridge': ['http', ...BELOW_HTTP],
  // It describes what the others do, from their rows alone.
  'http/docs': ['http', ...BELOW_HTTP],
  'clock.ts': [],
  'log.ts': ['domain'],
  // What an operator writes about networks is read by those who know networks, and a bucket's address by the files.
  'config.ts': ['domain', 'vocabulary', 'log.ts', 'network', 'files'],
  'first-start.ts': ['config.ts', ...BELOW_HTTP],
  'server.ts': ['*'],
  'run.ts': ['server.ts', 'first-start.ts', 'config.ts', 'log.ts', 'clock.ts', 'domain'],
  'main.ts': ['run.ts'],
  'index.ts': ['run.ts', 'server.ts', 'config.ts', 'log.ts', 'clock.ts', ...BELOW_HTTP],
};

/** Files in `src` whose types any layer above `domain` may name; the values are handed in by `server.ts`. */
export const TYPES_FOR_ALL = ['log.ts', 'clock.ts'] as const;

/** The drivers' files that hold iMessage's own words, pure, without any I/O. */
export const VOCABULARY = ['handle.ts', 'service.ts', 'tapback.ts', 'effect.ts'] as const;

/** Packages that only some places may import: path prefixes below the repository. */
export const EXTERNAL_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  'better-sqlite3': [
    'packages/server/src/store/dialects/',
    'packages/drivers/src/macos/',
    'packages/drivers/src/simulator/',
  ],
  ws: ['packages/server/src/http/bridge/', 'packages/drivers/src/remote/'],
  pg: ['packages/server/src/store/dialects/'],
  'node:sqlite': ['packages/server/src/store/dialects/'],
  kysely: ['packages/server/src/store/'],
  // What opens connections or resolves names would go past the guard anywhere else.
  undici: ['packages/server/src/network/'],
  'node:dns': ['packages/server/src/network/'],
  'node:dns/promises': ['packages/server/src/network/'],
  'ipaddr.js': ['packages/server/src/network/'],
  // The bucket is the operator's own, and its address is the operator's word: it does not go through the guard.
  s3mini: ['packages/server/src/files/'],
  'file-type': ['packages/server/src/files/'],
  '@fastify/multipart': ['packages/server/src/http/'],
  'prom-client': ['packages/server/src/metrics/'],
  // Decoders of foreign files run in the transcoder's threads and are loaded there only.
  'audio-decode': ['packages/server/src/files/audio/'],
  '@evan/opus': ['packages/server/src/files/audio/'],
  '@alexanderolsen/libsamplerate-js': ['packages/server/src/files/audio/'],
};

/** The pure layers and the only packages from outside that they may import. */
export const PURE_LAYERS: Readonly<Record<string, readonly string[]>> = {
  domain: ['zod', 'libphonenumber-js', 'node:buffer', 'node:crypto'],
  wire: ['zod', 'node:buffer', 'node:crypto'],
};

export const ENVIRONMENT_READERS = [
  'packages/server/src/main.ts',
  'packages/server/src/config.ts',
  'packages/cli/src/main.ts',
  // Whoever makes a client without a key has put it there.
  'packages/sdk/src/environment.ts',
] as const;
export const CLOCK_READERS = ['packages/server/src/main.ts', 'packages/server/src/clock.ts'] as const;
export const CLOCK_RULE_APPLIES_TO = ['packages/server/src/', 'packages/drivers/src/'] as const;
export const DEFAULT_EXPORTS_ALLOWED = ['vitest.config.ts', 'packages/dashboard/vite.config.ts'] as const;

export const FORBIDDEN_NAMES = [
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'shared',
  'core',
  'lib',
  'misc',
  'types',
] as const;

/** Suites that are tests without being called `*.test.ts` or `*.test-support.ts`, by how their paths begin: each driver's tests call them. */
export const TEST_SUITES = ['packages/drivers/src/conformance.ts', 'packages/drivers/src/conformance/'] as const;
