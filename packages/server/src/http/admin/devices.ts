/** `/admin/v1/devices`: the computers whose agents may dial in. A token is shown once, when its device is made. */
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import { type IssueDeviceDeps, type IssuedDevice, issueDevice } from '../../access/devices.ts';
import { ApiError } from '../../domain/errors.ts';
import { isReachedFromAfar, type Line } from '../../domain/line.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { resolveOwnLine } from '../../lines/resolve.ts';
import type { Engine } from '../../store/database.ts';
import { type DeviceRecord, findDeviceById, pageOfDevices, revokeDevices } from '../../store/devices.ts';
import { deviceBody } from '../../wire/admin.ts';
import { cursorField, invalidValue, limitField, nameField, textField } from '../input.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { list, type Route, route } from '../route.ts';

const NAME_MAX = 100;
const LINES_MAX = 100;

export interface DeviceDeps extends IssueDeviceDeps {
  readonly engine: Engine;
  readonly registry: LineRegistry;
}

export function deviceRoutes(deps: DeviceDeps): Route[] {
  return [
    route({
      name: 'listDevices',
      summary: 'Lists the devices of the account, the newest first, revoked ones too.',
      description:
        'A key that is limited to some lines sees the devices whose lines are all among them; it may get pages with fewer devices than it asked for, or none, before the last.',
      answer: 'Device[]',
      method: 'GET',
      path: '/admin/v1/devices',
      scope: 'admin',
      query: z.object({ limit: limitField(), cursor: cursorField }),
      async handle({ caller, query }) {
        const name = `devices ${caller.accountRef}`;
        const place = query.cursor === undefined ? [] : decodeCursor(name, query.cursor, 1);
        const [before = Number.MAX_SAFE_INTEGER] = place;
        const rows = await pageOfDevices(deps.engine, caller.accountRef, before, query.limit + 1);
        const page = rows.slice(0, query.limit);
        const last = rows.length > page.length ? page.at(-1) : undefined;
        const shown = page.filter((device) => mayAdminister(caller, device));
        return list(shown.map(deviceBody), last ? encodeCursor(name, [last.ref]) : null);
      },
    }),
    createRoute(deps),
    route({
      name: 'getDevice',
      summary: 'Gives one device.',
      answer: 'Device',
      params: { id: 'The device: its `dev_` id.' },
      refusals: ['device_not_found'],
      method: 'GET',
      path: '/admin/v1/devices/:id',
      scope: 'admin',
      handle: async ({ caller, params }) => deviceBody(await deviceOf(deps.engine, caller, params)),
    }),
    route({
      name: 'revokeDevice',
      summary: 'Revokes a device: its token opens nothing any more.',
      description: 'Revoking it again changes nothing.',
      answer: 'DeletedResponse',
      params: { id: 'The device: its `dev_` id.' },
      refusals: ['device_not_found'],
      method: 'DELETE',
      path: '/admin/v1/devices/:id',
      scope: 'admin',
      async handle({ caller, params }) {
        const { id } = await deviceOf(deps.engine, caller, params);
        const item = { accountRef: caller.accountRef, id, now: deps.clock.now() };
        if (!(await deps.writer.write(revokeDevices, item))) throw deviceNotFound();
        return { id, deleted: true };
      },
    }),
  ];
}

function createRoute(deps: DeviceDeps): Route {
  return route({
    name: 'createDevice',
    summary: 'Makes a device, for the computer whose agent is to dial in.',
    description: 'Its token is shown this once. Which lines it may serve is settled with it, and never changes.',
    answer: 'DeviceWithToken',
    refusals: ['line_not_found', 'line_not_accessible'],
    method: 'POST',
    path: '/admin/v1/devices',
    scope: 'admin',
    status: 201,
    isSecret: true,
    body: z.object({
      name: textField(NAME_MAX).min(1).describe('What to call it.'),
      lines: z
        .array(nameField)
        .min(1)
        .max(LINES_MAX)
        .describe('The lines that it may serve: `ln_` ids or handles. They are reached by an agent.'),
    }),
    async handle({ caller, body, ticket }) {
      const lines = await linesOf(deps.registry, caller, body.lines);
      const request = { accountRef: caller.accountRef, name: body.name, lines };
      return issuedBody(await issueDevice(deps, request, (issued) => ticket(issuedBody(issued))));
    },
  });
}

function issuedBody({ record, token }: IssuedDevice) {
  return { ...deviceBody(record), token };
}

async function linesOf(registry: LineRegistry, caller: Caller, names: readonly string[]): Promise<readonly Line[]> {
  const lines = new Map<number, Line>();
  for (const name of names) {
    const line = await resolveOwnLine(registry, caller, name, 'lines');
    if (line.accountRef !== caller.accountRef || !isReachedFromAfar(line)) {
      throw invalidValue('lines', 'must name lines that an agent reaches; this server reaches one of them by itself');
    }
    lines.set(line.ref, line);
  }
  return [...lines.values()];
}

/** Its lines never change, so that what is read here still holds when something is done with it. */
async function deviceOf(engine: Engine, caller: Caller, params: Readonly<Record<string, string>>) {
  const id = params['id'] ?? '';
  // No database can look for a NUL, and no device has one in its id.
  const device = id.includes('\0') ? null : await findDeviceById(engine, caller.accountRef, id);
  if (!device || !mayAdminister(caller, device)) throw deviceNotFound();
  return device;
}

/** Whether all of its lines, removed ones too, are the caller's to use. */
function mayAdminister({ lineRefs }: Caller, device: DeviceRecord): boolean {
  return lineRefs === null || device.lineRefs.every((ref) => lineRefs.has(ref));
}

function deviceNotFound(): ApiError {
  return new ApiError('device_not_found', { param: 'id' });
}
