/** Which device sends this, by its token, and for which of its lines. */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { findDevice, type KnownDevice } from '../../access/devices.ts';
import type { FailedAttempts } from '../../access/failed-attempts.ts';
import { ApiError } from '../../domain/errors.ts';
import { isReachedFromAfar, type Line } from '../../domain/line.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import type { Engine } from '../../store/database.ts';

const BEARER = /^Bearer +(\S+)$/i;

export function tokenIn(headers: IncomingHttpHeaders): string {
  return BEARER.exec(headers.authorization ?? '')?.[1] ?? '';
}

interface DoorDeps {
  readonly engine: Engine;
  readonly failedAttempts: FailedAttempts;
}

/** Who guesses at tokens is told to wait. */
export async function requireDevice({ engine, failedAttempts }: DoorDeps, request: FastifyRequest) {
  const device = await findDevice(engine, tokenIn(request.headers));
  if (device) return device;
  const wait = failedAttempts.note(request.ip);
  if (wait !== null) throw new ApiError('rate_limit_exceeded', { retryAfter: wait });
  throw new ApiError('invalid_api_key', { message: 'This device token is malformed, unknown or revoked.' });
}

/** The line that is named by its handle, or the only one where none is named; null where there is none. */
export function lineOfDevice(registry: LineRegistry, device: KnownDevice, handle: string | null): Line | null {
  const lines = device.lineRefs
    .flatMap((ref) => registry.byRef(ref) ?? [])
    .filter((line) => isReachedFromAfar(line) && line.accountRef === device.accountRef);
  if (handle !== null) return lines.find((line) => line.handle === handle) ?? null;
  return lines.length === 1 ? (lines[0] ?? null) : null;
}
