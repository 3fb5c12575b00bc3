/** Devices at the door: making one, and finding the one whose agent dials in. */
import type { Clock } from '../clock.ts';
import { isDeviceTokenForm } from '../domain/device.ts';
import type { Ids } from '../domain/ids.ts';
import type { Engine } from '../store/database.ts';
import { createDevices, type DeviceRecord, findDeviceByToken } from '../store/devices.ts';
import type { Ticket } from '../store/ticket.ts';
import type { Writer } from '../store/writer.ts';
import { hashKey, isSameHash } from './keys.ts';

/** 256 bits, which base64url writes in 43 characters. */
const RANDOM_BYTES = 32;
const SHOWN_CHARACTERS = 'dtk_'.length + 4;

export interface IssueDeviceDeps {
  readonly writer: Writer;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
}

export interface DeviceRequest {
  readonly accountRef: number;
  readonly name: string;
  /** At least one, all of them lines that the caller may use. */
  readonly lines: readonly { readonly ref: number; readonly id: string }[];
}

/** A device that is made: its token is kept nowhere. */
export interface IssuedDevice {
  readonly record: Omit<DeviceRecord, 'ref'>;
  readonly token: string;
}

/** `ticketFor` is told of the device before it is made, so that the answer can be kept with it. */
export async function issueDevice(
  deps: IssueDeviceDeps,
  { accountRef, name, lines }: DeviceRequest,
  ticketFor: (issued: IssuedDevice) => Ticket,
): Promise<IssuedDevice> {
  const now = deps.clock.now();
  const token = `dtk_${Buffer.from(deps.randomBytes(RANDOM_BYTES)).toString('base64url')}`;
  const lineRefs = lines.map((line) => line.ref);
  const shared = { id: deps.ids.make('device'), name, prefix: token.slice(0, SHOWN_CHARACTERS), lineRefs };
  const record = {
    ...shared,
    lineIds: lines.map((line) => line.id),
    agent: null,
    clockOffsetMs: null,
    isConnected: false,
    connectedAt: null,
    disconnectedAt: null,
    revokedAt: null,
    createdAt: now,
  };
  const item = { ...shared, accountRef, tokenHash: hashKey(token), now };
  await deps.writer.write(createDevices, item, ticketFor({ record, token }));
  return { record, token };
}

/** A device whose token was shown. */
export interface KnownDevice {
  readonly ref: number;
  readonly id: string;
  readonly accountRef: number;
  readonly name: string;
  /** Those that were removed since are among them, and can be brought back: which are there, the registry of lines knows. */
  readonly lineRefs: readonly number[];
}

/** Null for a token that is malformed, unknown or revoked. Nothing is kept in memory: what it says holds now. */
export async function findDevice(engine: Engine, token: string): Promise<KnownDevice | null> {
  if (!isDeviceTokenForm(token)) return null;
  const hash = hashKey(token);
  const found = await findDeviceByToken(engine, hash);
  if (!found || !isSameHash(found.tokenHash, hash) || found.revokedAt !== null) return null;
  const { ref, id, accountRef, name, lineRefs } = found;
  return { ref, id, accountRef, name, lineRefs };
}
