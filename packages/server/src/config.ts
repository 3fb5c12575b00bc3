/** The configuration: one table of settings, each with its name, default and sentence. Nothing else reads the environment. */
import { readFileSync } from 'node:fs';
import { normaliseHandle } from '@trunkline/drivers';
import { z } from 'zod';
import { isKeyForm, RATE_LIMIT_MAX } from './domain/api-key.ts';
import { type BucketAddress, BucketAddressError, parseBucketAddress } from './files/bucket-address.ts';
import { LOG_LEVELS } from './log.ts';
import { placeAddress } from './network/address.ts';
import { type Networks, NetworksError, NO_NETWORKS, parseNetworks } from './network/networks.ts';

const ROLES = ['api', 'worker', 'lines'] as const;
export type Role = (typeof ROLES)[number];

const PREFIX = 'TRUNKLINE_';
/** Known to other programs of ours, and no setting of the server. */
const NOT_OURS: ReadonlySet<string> = new Set(['TRUNKLINE_URL', 'TRUNKLINE_API_KEY', 'TRUNKLINE_BRIDGE_TOKEN']);

interface Setting {
  readonly schema: z.ZodType;
  readonly default: string;
  readonly sentence: string;
  /** Secrets can come from a file named by `<NAME>_FILE`, and are never logged. */
  readonly isSecret?: true;
}

const port = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .refine((value) => value <= 65_535);
const onOff = z.enum(['on', 'off']).transform((value) => value === 'on');
/** A whole number in a range, written in digits alone. */
const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`);
const secretKey = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64, as `openssl rand -base64 32` prints them')
  .transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const url = z.string().refine((value) => URL.canParse(value), 'must be an absolute URL');
const roles = z
  .string()
  .transform((value) => value.split(',').map((role) => role.trim()))
  .pipe(z.array(z.enum(ROLES)).min(1));
const networks = z.string().transform((text, context): Networks => {
  try {
    return parseNetworks(text);
  } catch (error) {
    if (!(error instanceof NetworksError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});
const bucket = z.string().transform((text, context): BucketAddress | null => {
  if (text === '') return null;
  try {
    return parseBucketAddress(text);
  } catch (error) {
    if (!(error instanceof BucketAddressError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});
const handle = z
  .string()
  .refine((value) => value === '' || normaliseHandle(value) !== null, 'must be a handle (E.164 or e-mail), or empty')
  .transform((value) => (value === '' ? null : normaliseHandle(value)));

export const SETTINGS = {
  TRUNKLINE_HOST: {
    schema: z.string().min(1),
    default: '127.0.0.1',
    sentence: 'The address to listen on. Only this machine can reach the default.',
  },
  TRUNKLINE_PORT: { schema: port, default: '8080', sentence: 'The port to listen on; 0 takes a free one.' },
  TRUNKLINE_PUBLIC_URL: {
    schema: z.union([z.literal(''), url]),
    default: '',
    sentence: 'The address that others reach this server under. Empty: the address it listens on.',
  },
  TRUNKLINE_DATA_DIR: {
    schema: z.string().min(1),
    default: './data',
    sentence: 'The folder of the SQLite file and of the files, kept private to its owner.',
  },
  TRUNKLINE_DATABASE_URL: {
    schema: z.union([z.literal(''), z.string().regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')]),
    default: '',
    sentence: 'A PostgreSQL database. Empty: SQLite in the data folder.',
    isSecret: true,
  },
  TRUNKLINE_BLOBS_URL: {
    schema: bucket,
    default: '',
    sentence:
      'An S3 bucket for files: s3://key:secret@host/bucket, with ?region= and ?endpoint= where they are needed. Empty: the data folder.',
    isSecret: true,
  },
  TRUNKLINE_ROLES: {
    schema: roles,
    default: 'api,worker,lines',
    sentence: 'What this process does: api answers requests, worker delivers webhooks, lines runs the drivers.',
  },
  TRUNKLINE_BOOTSTRAP_API_KEY: {
    schema: z.union([z.literal(''), z.string().refine(isKeyForm, 'must be sk_live_ and 32 to 128 letters and digits')]),
    default: '',
    sentence: 'The first API key of an empty database. Empty: one is made and printed.',
    isSecret: true,
  },
  TRUNKLINE_SECRET_KEY: {
    schema: z.union([z.literal('').transform(() => null), secretKey]),
    default: '',
    sentence:
      'Encrypts secrets in the database: 32 bytes in base64, the same in every process of an installation. Empty: made in the data folder.',
    isSecret: true,
  },
  TRUNKLINE_OWNER_EMAIL: {
    schema: z.string().regex(/^[^@\s]+@[^@\s]+$/, 'must be an e-mail address'),
    default: 'owner@localhost',
    sentence: "The first account's e-mail address.",
  },
  TRUNKLINE_SIMULATOR: {
    schema: onOff,
    default: 'on',
    sentence: 'on or off: whether simulated lines run and /simulator/v1 is served.',
  },
  TRUNKLINE_SANDBOX_LINE: {
    schema: handle,
    default: '+15550100000',
    sentence: 'The handle of the sandbox line that a first start makes; empty for none.',
  },
  TRUNKLINE_SINK_NETWORKS: {
    schema: networks,
    default: 'loopback',
    sentence:
      'Networks that webhooks may reach although they are private, and by plain http: CIDRs, addresses, host names and the word loopback, with commas. Not set, where HOST is not loopback or PUBLIC_URL is set: none.',
  },
  TRUNKLINE_RATE_LIMIT_PER_HOUR: {
    schema: wholeNumber(1, RATE_LIMIT_MAX),
    default: '1000',
    sentence: 'How many requests an hour a new API key may make, where nothing else is said when it is made.',
  },
  TRUNKLINE_FILE_LIMIT_MB: {
    schema: wholeNumber(1, 10_000),
    default: '100',
    sentence: 'The largest file that is taken, in megabytes.',
  },
  TRUNKLINE_RETENTION_DAYS: {
    schema: wholeNumber(1, 3_650),
    default: '30',
    sentence: 'How many days events and deliveries are kept. Messages stay, and so does what is still due.',
  },
  TRUNKLINE_METRICS: {
    schema: onOff,
    default: 'off',
    sentence: 'on or off: whether /metrics is served, to anybody who can reach this address.',
  },
  TRUNKLINE_LOG_LEVEL: {
    schema: z.enum(LOG_LEVELS),
    default: 'info',
    sentence: `What is logged: ${LOG_LEVELS.join(', ')}.`,
  },
} as const satisfies Record<string, Setting>;
export type SettingName = keyof typeof SETTINGS;

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | null;
  readonly dataDir: string;
  readonly databaseUrl: string | null;
  /** Null: files are kept in the data folder. */
  readonly bucket: BucketAddress | null;
  readonly roles: readonly Role[];
  readonly bootstrapApiKey: string | null;
  readonly ownerEmail: string;
  readonly simulator: boolean;
  readonly sandboxLine: string | null;
  /** Null: the data folder's. */
  readonly secretKey: Uint8Array | null;
  readonly rateLimitPerHour: number;
  readonly sinkNetworks: Networks;
  readonly fileLimitMb: number;
  readonly retentionDays: number;
  readonly metrics: boolean;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** A setting that stops the start, with a sentence that says which and why. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws `ConfigError` for an unknown name or a bad value. */
export function readConfig(environment: Environment): Config {
  refuseUnknown(environment);
  return {
    host: read(environment, 'TRUNKLINE_HOST'),
    port: read(environment, 'TRUNKLINE_PORT'),
    publicUrl: read(environment, 'TRUNKLINE_PUBLIC_URL') || null,
    dataDir: read(environment, 'TRUNKLINE_DATA_DIR'),
    databaseUrl: read(environment, 'TRUNKLINE_DATABASE_URL') || null,
    bucket: read(environment, 'TRUNKLINE_BLOBS_URL'),
    roles: read(environment, 'TRUNKLINE_ROLES'),
    bootstrapApiKey: read(environment, 'TRUNKLINE_BOOTSTRAP_API_KEY') || null,
    ownerEmail: read(environment, 'TRUNKLINE_OWNER_EMAIL'),
    simulator: read(environment, 'TRUNKLINE_SIMULATOR'),
    sandboxLine: read(environment, 'TRUNKLINE_SANDBOX_LINE'),
    secretKey: read(environment, 'TRUNKLINE_SECRET_KEY'),
    rateLimitPerHour: read(environment, 'TRUNKLINE_RATE_LIMIT_PER_HOUR'),
    sinkNetworks: readSinkNetworks(environment),
    fileLimitMb: read(environment, 'TRUNKLINE_FILE_LIMIT_MB'),
    retentionDays: read(environment, 'TRUNKLINE_RETENTION_DAYS'),
    metrics: read(environment, 'TRUNKLINE_METRICS'),
    logLevel: read(environment, 'TRUNKLINE_LOG_LEVEL'),
  };
}

function read<Name extends SettingName>(
  environment: Environment,
  name: Name,
): z.infer<(typeof SETTINGS)[Name]['schema']> {
  const setting: Setting = SETTINGS[name];
  const parsed = setting.schema.safeParse(textOf(environment, name, setting));
  if (!parsed.success) {
    throw new ConfigError(
      `${name} cannot be used: ${parsed.error.issues[0]?.message ?? 'bad value'}. ${setting.sentence}`,
    );
  }
  return parsed.data as z.infer<(typeof SETTINGS)[Name]['schema']>;
}

/** Receivers on this machine are for trying things out: a server that others can reach must be told of them. */
function readSinkNetworks(environment: Environment): Networks {
  const isToldOf = environment['TRUNKLINE_SINK_NETWORKS'] !== undefined;
  const host = read(environment, 'TRUNKLINE_HOST');
  const isLocal = host === 'localhost' || placeAddress(host)?.class === 'loopback';
  const isReachable = !isLocal || read(environment, 'TRUNKLINE_PUBLIC_URL') !== '';
  return !isToldOf && isReachable ? NO_NETWORKS : read(environment, 'TRUNKLINE_SINK_NETWORKS');
}

function textOf(environment: Environment, name: string, setting: Setting): string {
  const file = setting.isSecret ? environment[`${name}_FILE`] : undefined;
  const text = environment[name];
  if (file === undefined) return text === undefined || isSetByKubernetes(name, text) ? setting.default : text;
  if (environment[name] !== undefined) throw new ConfigError(`Set ${name} or ${name}_FILE, not both.`);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new ConfigError(`${name}_FILE names a file that cannot be read: ${file} (${String(error)}).`);
  }
}

function refuseUnknown(environment: Environment): void {
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || isKnown(name) || isSetByKubernetes(name, value)) continue;
    throw new ConfigError(`There is no setting ${name}. The settings are ${Object.keys(SETTINGS).join(', ')}.`);
  }
}

function isKnown(name: string): boolean {
  if (Object.hasOwn(SETTINGS, name) || NOT_OURS.has(name)) return true;
  const base = name.replace(/_FILE$/, '');
  return Object.hasOwn(SETTINGS, base) && 'isSecret' in (SETTINGS[base as SettingName] satisfies Setting);
}

/**
 * Kubernetes describes a service called trunkline to every pod beside it, in variables of these names; one of them has
 * the name of a setting and is told by its value.
 */
function isSetByKubernetes(name: string, value: string | undefined): boolean {
  if (name === 'TRUNKLINE_PORT') return /^(?:tcp|udp|sctp):\/\//.test(value ?? '');
  return /^TRUNKLINE_(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/.test(name);
}
