/** Devices: the computers whose agents may dial in, each for lines of one account. Of a token only the SHA-256 is stored. */
import type { DeviceAgent } from '../domain/device.ts';
import { type Engine, insertInto, type Row, statement } from './database.ts';
import { numberOrNull } from './row-values.ts';
import type { Write } from './writer.ts';

/** Whoever holds a device's connection listens to it, and asks again whether the token still counts. */
export const DEVICES_TOPIC = 'devices';

export interface NewDevice {
  readonly id: string;
  readonly accountRef: number;
  readonly name: string;
  /** What a person recognises the token by. */
  readonly prefix: string;
  /** SHA-256 of the whole token, in hex. */
  readonly tokenHash: string;
  /** At least one. */
  readonly lineRefs: readonly number[];
  readonly now: number;
}

/** A device as its account sees it: nothing here opens anything. */
export interface DeviceRecord {
  readonly ref: number;
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  /** Every line that it was made for, removed ones included. */
  readonly lineRefs: readonly number[];
  /** The public ids of those that are not removed. */
  readonly lineIds: readonly string[];
  readonly agent: DeviceAgent | null;
  readonly clockOffsetMs: number | null;
  /** Its newest connection is there: one whose server was ended without a word is not, though nobody noted its end. */
  readonly isConnected: boolean;
  /** These are Unix milliseconds. */
  readonly connectedAt: number | null;
  readonly disconnectedAt: number | null;
  readonly revokedAt: number | null;
  readonly createdAt: number;
}

/** A device as a connection is checked against it. */
export interface StoredDevice {
  readonly ref: number;
  readonly id: string;
  readonly accountRef: number;
  readonly name: string;
  readonly tokenHash: string;
  readonly lineRefs: readonly number[];
  readonly revokedAt: number | null;
}

const COLUMNS = `ref, id, name, prefix, line_refs, agent, clock_offset_ms, connected_at, disconnected_at, revoked_at,
  created_at`;

const pageByAccount = statement(
  { account_ref: 'int', before: 'int', max: 'int' },
  `select ${COLUMNS} from devices where account_ref = i.account_ref and ref < i.before order by ref desc limit i.max`,
);
const deviceById = statement(
  { account_ref: 'int', id: 'text' },
  `select ${COLUMNS} from devices where account_ref = i.account_ref and id = i.id`,
);
const deviceByToken = statement(
  { token_hash: 'text' },
  'select ref, id, account_ref, name, token_hash, line_refs, revoked_at from devices where token_hash = i.token_hash',
);
const linesThatRemain = statement(
  { ref: 'int' },
  `select lines.ref, lines.id, exists (
     select 1 from leases where leases.name = 'line ' || lines.ref and leases.expires_at > {now}) as is_held
   from lines{, items} where lines.ref = i.ref and lines.removed_at is null`,
);

/** An account's devices, newest first, strictly before the ref. */
export async function pageOfDevices(
  engine: Engine,
  accountRef: number,
  before: number,
  max: number,
): Promise<readonly DeviceRecord[]> {
  return withLines(engine, await engine.read(pageByAccount, { account_ref: accountRef, before, max }));
}

export async function findDeviceById(engine: Engine, accountRef: number, id: string): Promise<DeviceRecord | null> {
  const [device] = await withLines(engine, await engine.read(deviceById, { account_ref: accountRef, id }));
  return device ?? null;
}

/** A revoked one too. */
export async function findDeviceByToken(engine: Engine, tokenHash: string): Promise<StoredDevice | null> {
  const [row] = await engine.read(deviceByToken, { token_hash: tokenHash });
  if (!row) return null;
  return {
    ref: Number(row['ref']),
    id: String(row['id']),
    accountRef: Number(row['account_ref']),
    name: String(row['name']),
    tokenHash: String(row['token_hash']),
    lineRefs: lineRefsOf(row),
    revokedAt: numberOrNull(row['revoked_at']),
  };
}

const insertDevice = insertInto('devices', {
  id: 'text',
  account_ref: 'int',
  name: 'text',
  prefix: 'text',
  token_hash: 'text',
  line_refs: 'text',
  created_at: 'int',
});

export const createDevices: Write<NewDevice, null> = {
  name: 'create_devices',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, items) {
    await tx.each(insertDevice, items.map(deviceRow));
    return items.map(() => null);
  },
};

const revoke = statement(
  { account_ref: 'int', id: 'text', now: 'int' },
  `update devices set revoked_at = coalesce(revoked_at, i.now)
   where account_ref = i.account_ref and id = i.id returning ref`,
);

/** Says whether the account has such a device. After the commit every process closes what connection it has of it. */
export const revokeDevices: Write<{ accountRef: number; id: string; now: number }, boolean> = {
  name: 'revoke_devices',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx, wake }, items) {
    const results: boolean[] = [];
    for (const { accountRef, id, now } of items) {
      const rows = await tx.one(revoke, { account_ref: accountRef, id, now });
      results.push(rows.length > 0);
    }
    wake(DEVICES_TOPIC);
    return results;
  },
};

/** What is known of one connection of a device, which is named by the moment at which it began. */
export interface DeviceNote {
  readonly ref: number;
  readonly connectedAt: number;
  /** Null while it is there. */
  readonly disconnectedAt: number | null;
  /** Null: what was known of it before still holds, and so with the clock. */
  readonly agent: DeviceAgent | null;
  readonly clockOffsetMs: number | null;
}

/** The end of a former connection, told late, does not end the newer one. */
const note = statement(
  { ref: 'int', connected_at: 'int', disconnected_at: 'int', agent: 'text', clock_offset_ms: 'int' },
  `update devices set connected_at = i.connected_at, disconnected_at = i.disconnected_at,
     agent = coalesce(i.agent, agent), clock_offset_ms = coalesce(i.clock_offset_ms, clock_offset_ms)
   where ref = i.ref and (connected_at is null or connected_at <= i.connected_at)`,
);

/** One after another, since a batch may hold two notes of one device. */
export const noteDevices: Write<DeviceNote, null> = {
  name: 'note_devices',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, items) {
    for (const { ref, connectedAt, disconnectedAt, agent, clockOffsetMs } of items) {
      await tx.one(note, {
        ref,
        connected_at: connectedAt,
        disconnected_at: disconnectedAt,
        agent: agent && JSON.stringify(agent),
        clock_offset_ms: clockOffsetMs,
      });
    }
    return items.map(() => null);
  },
};

function deviceRow(device: NewDevice): Row {
  return {
    id: device.id,
    account_ref: device.accountRef,
    name: device.name,
    prefix: device.prefix,
    token_hash: device.tokenHash,
    line_refs: JSON.stringify(device.lineRefs),
    created_at: device.now,
  };
}

async function withLines(engine: Engine, rows: readonly Row[]): Promise<readonly DeviceRecord[]> {
  const refs = [...new Set(rows.flatMap(lineRefsOf))];
  const lines = refs.length === 0 ? [] : await engine.readEach(linesThatRemain, refs.map(asItem));
  const remaining = new Map(lines.map((line) => [Number(line['ref']), line]));
  return rows.map((row) => deviceFromRow(row, remaining));
}

function asItem(ref: number): Row {
  return { ref };
}

/** While an agent is connected it holds the lease of one of its lines. */
function deviceFromRow(row: Row, remaining: ReadonlyMap<number, Row>): DeviceRecord {
  const lineRefs = lineRefsOf(row);
  const lines = lineRefs.map((ref) => remaining.get(ref)).filter((line) => line !== undefined);
  const isOpen = row['connected_at'] !== null && row['disconnected_at'] === null;
  return {
    ref: Number(row['ref']),
    id: String(row['id']),
    name: String(row['name']),
    prefix: String(row['prefix']),
    lineRefs,
    lineIds: lines.map((line) => String(line['id'])),
    agent: row['agent'] === null ? null : (JSON.parse(String(row['agent'])) as DeviceAgent),
    clockOffsetMs: numberOrNull(row['clock_offset_ms']),
    isConnected: isOpen && lines.some((line) => Boolean(line['is_held'])),
    connectedAt: numberOrNull(row['connected_at']),
    disconnectedAt: numberOrNull(row['disconnected_at']),
    revokedAt: numberOrNull(row['revoked_at']),
    createdAt: Number(row['created_at']),
  };
}

function lineRefsOf(row: Row): readonly number[] {
  return JSON.parse(String(row['line_refs'])) as number[];
}
