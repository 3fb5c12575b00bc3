/**
 * What the product may weigh: ceilings, each beside what it came to when the ceiling was set. A ceiling is raised by whoever
 * can say what was worth it. The start's time is measured in `bench/`; here stands what makes it, which is the same on
 * every machine.
 */

export interface Budget {
  readonly ceiling: number;
  readonly present: number;
}

export const BUDGETS = {
  /** Packages that the server and the command install, with all that they need in turn. */
  packages: { ceiling: 100, present: 94 },
  /** Of 10^6 bytes, as those packages lie in `node_modules`. */
  megabytes: { ceiling: 75, present: 62 },
  /** Files of our own that are loaded until the server is ready, on SQLite in an empty place. */
  ownModules: { ceiling: 180, present: 111 },
  /** Files of packages that are loaded until then. */
  packageModules: { ceiling: 950, present: 846 },
} as const satisfies Record<string, Budget>;

export type BudgetName = keyof typeof BUDGETS;

const GROWN_MAX = 8;

/** What to say when a budget is overdrawn: by how much, and the parts that grew most since it was set; null when it is not. */
export function overdraft(
  name: BudgetName,
  now: number,
  parts: ReadonlyMap<string, number>,
  before: Readonly<Record<string, number>>,
): string | null {
  const { ceiling, present }: Budget = BUDGETS[name];
  if (now <= ceiling) return null;
  const grown = [...parts]
    .map(([part, count]) => ({ part, by: count - (before[part] ?? 0), isNew: before[part] === undefined }))
    .filter(({ by, isNew }) => by > 0 || isNew)
    .sort((a, b) => b.by - a.by)
    .slice(0, GROWN_MAX)
    .map(({ part, by, isNew }) => `${part} +${by}${isNew ? ' (new)' : ''}`);
  return `${name}: ${now}, where the ceiling is ${ceiling}; it was ${present} when that was set. What grew: ${grown.join(', ')}.`;
}

/** The packages at that time, each with its kilobytes. */
export const PRESENT_PACKAGES: Readonly<Record<string, number>> = {
  '@clack/core': 56,
  '@clack/prompts': 95,
  '@fastify/ajv-compiler': 59,
  '@fastify/cors': 127,
  '@fastify/deepmerge': 71,
  '@fastify/error': 40,
  '@fastify/fast-json-stringify-compiler': 29,
  '@fastify/forwarded': 14,
  '@fastify/merge-json-schemas': 105,
  '@fastify/proxy-addr': 44,
  '@opentelemetry/api': 623,
  '@pinojs/redact': 97,
  'abstract-logging': 2,
  ajv: 1033,
  'ajv-formats': 57,
  'atomic-sleep': 7,
  avvio: 232,
  'better-sqlite3': 27814,
  bintrees: 2351,
  colorette: 17,
  commander: 207,
  cookie: 61,
  dateformat: 21,
  dequal: 14,
  'end-of-stream': 6,
  'fast-copy': 235,
  'fast-decode-uri-component': 9,
  'fast-deep-equal': 13,
  'fast-json-stringify': 600,
  'fast-querystring': 19,
  'fast-safe-stringify': 40,
  'fast-string-truncated-width': 12,
  'fast-string-width': 4,
  'fast-uri': 573,
  'fast-wrap-ansi': 11,
  fastify: 3017,
  'fastify-plugin': 47,
  fastq: 51,
  'find-my-way': 504,
  'help-me': 15,
  'ipaddr.js': 64,
  joycon: 14,
  'json-schema-ref-resolver': 61,
  'json-schema-traverse': 22,
  kysely: 1751,
  'libphonenumber-js': 10196,
  'light-my-request': 185,
  minimist: 54,
  'node-addon-api': 420,
  'on-exit-leak-free': 9,
  once: 4,
  pg: 103,
  'pg-cloudflare': 26,
  'pg-connection-string': 16,
  'pg-int8': 3,
  'pg-pool': 30,
  'pg-protocol': 202,
  'pg-types': 35,
  pgpass: 10,
  pino: 704,
  'pino-abstract-transport': 40,
  'pino-pretty': 275,
  'pino-std-serializers': 54,
  'postgres-array': 5,
  'postgres-bytea': 3,
  'postgres-date': 6,
  'postgres-interval': 7,
  'process-warning': 36,
  'prom-client': 126,
  pump: 9,
  'quick-format-unescaped': 13,
  'real-require': 4,
  'require-from-string': 3,
  ret: 73,
  reusify: 12,
  rfdc: 27,
  'safe-regex2': 13,
  'safe-stable-stringify': 31,
  'secure-json-parse': 62,
  semver: 119,
  'set-cookie-parser': 32,
  sisteransi: 7,
  'sonic-boom': 210,
  split2: 17,
  'strip-json-comments': 8,
  tdigest: 43,
  'thread-stream': 103,
  'toad-cache': 51,
  undici: 2186,
  wrappy: 3,
  xtend: 6,
  zod: 6149,
};

/** How many files of each package were loaded at the start at that time; of our own, by folder. */
export const PRESENT_MODULES: Readonly<Record<string, number>> = {
  '@fastify/ajv-compiler': 5,
  '@fastify/error': 1,
  '@fastify/fast-json-stringify-compiler': 2,
  '@fastify/forwarded': 1,
  '@fastify/merge-json-schemas': 3,
  '@fastify/proxy-addr': 1,
  '@pinojs/redact': 1,
  'abstract-logging': 1,
  ajv: 85,
  'ajv-formats': 3,
  'atomic-sleep': 1,
  avvio: 13,
  'better-sqlite3': 15,
  dequal: 1,
  'fast-decode-uri-component': 1,
  'fast-deep-equal': 1,
  'fast-json-stringify': 8,
  'fast-querystring': 4,
  'fast-uri': 6,
  fastify: 32,
  fastq: 1,
  'find-my-way': 12,
  'ipaddr.js': 1,
  'json-schema-ref-resolver': 1,
  'json-schema-traverse': 1,
  kysely: 257,
  'libphonenumber-js': 93,
  'on-exit-leak-free': 1,
  'packages/drivers/src': 3,
  'packages/drivers/src/simulator': 21,
  'packages/server/src': 7,
  'packages/server/src/access': 2,
  'packages/server/src/domain': 9,
  'packages/server/src/events': 3,
  'packages/server/src/http': 6,
  'packages/server/src/http/simulator': 1,
  'packages/server/src/http/v1': 6,
  'packages/server/src/leases': 1,
  'packages/server/src/lines': 5,
  'packages/server/src/outbox': 7,
  'packages/server/src/store': 25,
  'packages/server/src/store/dialects': 4,
  'packages/server/src/store/migrations': 2,
  'packages/server/src/webhooks': 8,
  'packages/server/src/wire': 1,
  pino: 12,
  'pino-std-serializers': 7,
  'process-warning': 1,
  'quick-format-unescaped': 1,
  ret: 11,
  reusify: 1,
  rfdc: 1,
  'safe-regex2': 1,
  'safe-stable-stringify': 1,
  'secure-json-parse': 1,
  semver: 47,
  'sonic-boom': 1,
  'thread-stream': 4,
  'toad-cache': 1,
  undici: 109,
  zod: 95,
};
