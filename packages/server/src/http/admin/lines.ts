/** `/admin/v1/lines`: the lines of the caller's account, and what an operator does with them. */
import { normaliseHandle } from '@trunkline/drivers';
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import type { Clock } from '../../clock.ts';
import { ApiError } from '../../domain/errors.ts';
import { hasPrefix, type Ids } from '../../domain/ids.ts';
import { DEFAULT_PACE_MS, type Line } from '../../domain/line.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { removeLine } from '../../lines/remove-line.ts';
import { mayUse } from '../../lines/resolve.ts';
import type { Engine } from '../../store/database.ts';
import {
  findLineRecord,
  type LineRecord,
  type LineSettings,
  readLineRecord,
  readLineRecords,
  reviveLines,
  setLines,
} from '../../store/line-settings.ts';
import { createLines } from '../../store/lines.ts';
import type { Ticket } from '../../store/ticket.ts';
import type { Writer } from '../../store/writer.ts';
import { adminLineBody } from '../../wire/admin.ts';
import { invalidValue, nameField, textField } from '../input.ts';
import { list, type Route, route } from '../route.ts';

const LABEL_MAX = 100;
const PACE_MAX_MS = 600_000;

export interface AdminLineDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly registry: LineRegistry;
  /** The drivers that this server can run. */
  readonly drivers: readonly Line['kind'][];
}

const flag = z.enum(['true', 'false']).optional();
const label = textField(LABEL_MAX).optional().describe('What to call it.');
const settings = z
  .strictObject({
    contact_first: z.boolean().optional().describe('Whether a contact must have written before it may be written to.'),
    opt_out_keywords: z
      .boolean()
      .optional()
      .describe('Whether a phone opts out by texting STOP, and in again by START.'),
    pace_ms: z
      .number()
      .int()
      .min(0)
      .max(PACE_MAX_MS)
      .optional()
      .describe('The least time between two hand-overs, in milliseconds. 0: none. A new `remote` line has 1,000.'),
  })
  .optional()
  .describe('What is to be set; what is not named stays as it is.');

export function adminLineRoutes(deps: AdminLineDeps): Route[] {
  return [
    route({
      name: 'listAdminLines',
      summary: 'Lists the lines of the account, as their operator sees them.',
      answer: 'AdminLine[]',
      method: 'GET',
      path: '/admin/v1/lines',
      scope: 'admin',
      query: z.object({ removed: flag.describe('`true`: removed ones as well.') }),
      async handle({ caller, query }) {
        const lines = await readLineRecords(deps.engine, caller.accountRef);
        const shown = lines.filter((line) => mayUse(caller, line) && (query.removed === 'true' || isThere(line)));
        return list(shown.map(adminLineBody));
      },
    }),
    addRoute(deps),
    route({
      name: 'getAdminLine',
      summary: 'Gives one line, also a removed one.',
      description: 'By its `ln_` id or its handle.',
      answer: 'AdminLine',
      params: { id: 'The line: its `ln_` id or its handle.' },
      refusals: ['line_not_found'],
      method: 'GET',
      path: '/admin/v1/lines/:id',
      scope: 'admin',
      async handle({ caller, params }) {
        return adminLineBody(await lineOf(deps.engine, caller, params));
      },
    }),
    setRoute(deps),
    route({
      name: 'removeLine',
      summary: 'Removes a line.',
      description:
        'Stops its driver, fails what waits to be sent and disables its webhooks. Its messages can still be read by id, until it is purged.',
      answer: 'DeletedResponse',
      params: { id: 'The line: its `ln_` id or its handle.' },
      refusals: ['line_not_found'],
      method: 'DELETE',
      path: '/admin/v1/lines/:id',
      scope: 'admin',
      query: z.object({
        purge: flag.describe('`true`: everything that the line leaves behind is deleted too, for good.'),
      }),
      async handle({ caller, params, query }) {
        const line = await lineOf(deps.engine, caller, params);
        await removeLine(deps, line.ref, query.purge === 'true');
        await deps.registry.refresh();
        return { id: line.id, deleted: true };
      },
    }),
  ];
}

function addRoute(deps: AdminLineDeps): Route {
  return route({
    name: 'addLine',
    summary: 'Adds a line, or brings a removed one back.',
    description: 'It runs within a second, a `remote` one as soon as an agent dials in for it.',
    answer: 'AdminLine',
    refusals: ['line_not_accessible'],
    method: 'POST',
    path: '/admin/v1/lines',
    scope: 'admin',
    status: 201,
    body: z.object({
      handle: nameField.describe('Its handle: a phone number in E.164, or an e-mail.'),
      driver: nameField.describe('What reaches it: `simulator`, or `remote` where an agent does.'),
      label,
      service: z.enum(['imessage', 'sms', 'auto']).optional().describe('How it sends. Left out: `imessage`.'),
      settings,
    }),
    async handle({ caller, body, ticket }) {
      const handle = normaliseHandle(body.handle);
      if (handle === null) throw invalidValue('handle', 'must be a handle (E.164 or e-mail)');
      const kind = deps.drivers.find((driver) => driver === body.driver);
      if (kind === undefined) throw invalidValue('driver', driverRefusal(deps.drivers));
      if (caller.lineRefs !== null) {
        const message = 'This API key is limited to some lines and may not add others.';
        throw new ApiError('line_not_accessible', { param: 'handle', message });
      }
      const removed = await findLineRecord(deps.engine, caller.accountRef, handle);
      const given = settingsOf(body.settings);
      const wanted = {
        handle,
        kind,
        label: body.label ?? null,
        service: body.service ?? null,
        ...given,
        paceMs: given.paceMs ?? paceOfKind(kind, removed),
      };
      const record = removed ? revivedRecord(removed, wanted) : newRecord(deps, caller.accountRef, wanted);
      const answer = adminLineBody(record);
      const isTaken = removed !== null && isThere(removed);
      const ref = isTaken ? null : await bringBackOrCreate(deps, removed, record, wanted, ticket(answer));
      if (ref === null) throw invalidValue('handle', 'is already a line of this installation');
      return answer;
    },
  });
}

interface WantedLine extends LineSettings {
  readonly handle: string;
  readonly kind: Line['kind'];
  readonly service: Line['service'] | null;
}

/** Gives the line's ref, or null where another line has the handle. */
function bringBackOrCreate(
  deps: AdminLineDeps,
  removed: LineRecord | null,
  record: Omit<LineRecord, 'ref'>,
  wanted: WantedLine,
  ticket: Ticket,
): Promise<number | null> {
  const { writer } = deps;
  if (removed) return writer.write(reviveLines, { ...wanted, accountRef: record.accountRef }, ticket);
  return writer.write(createLines, { ...record, now: record.createdAt }, ticket);
}

/** A line that comes back keeps its pace, unless it had none and what reaches it now has one. Null: as it was. */
function paceOfKind(kind: Line['kind'], removed: LineRecord | null): number | null {
  return removed === null || (removed.kind !== kind && removed.paceMs === 0) ? DEFAULT_PACE_MS[kind] : null;
}

/** The line as it will be: what is not named is as it was. */
function revivedRecord(removed: LineRecord, wanted: WantedLine): LineRecord {
  return {
    ...removed,
    kind: wanted.kind,
    label: wanted.label ?? removed.label,
    service: wanted.service ?? removed.service,
    contactFirst: wanted.contactFirst ?? removed.contactFirst,
    optOutKeywords: wanted.optOutKeywords ?? removed.optOutKeywords,
    paceMs: wanted.paceMs ?? removed.paceMs,
    isActive: true,
    removedAt: null,
  };
}

function newRecord(deps: AdminLineDeps, accountRef: number, wanted: WantedLine): Omit<LineRecord, 'ref'> {
  return {
    id: deps.ids.make('line'),
    accountRef,
    handle: wanted.handle,
    label: wanted.label,
    service: wanted.service ?? 'imessage',
    kind: wanted.kind,
    isActive: true,
    isSandbox: false,
    contactFirst: wanted.contactFirst ?? true,
    optOutKeywords: wanted.optOutKeywords ?? false,
    capabilities: null,
    paceMs: wanted.paceMs ?? DEFAULT_PACE_MS[wanted.kind],
    health: { state: 'unknown', reason: null, since: null },
    createdAt: deps.clock.now(),
    removedAt: null,
  };
}

function setRoute(deps: AdminLineDeps): Route {
  return route({
    name: 'setLine',
    summary: "Changes a line's label and settings, or switches it off or on.",
    description: 'What is not named stays as it is.',
    answer: 'AdminLine',
    params: { id: 'The line: its `ln_` id or its handle.' },
    refusals: ['line_not_found'],
    method: 'PATCH',
    path: '/admin/v1/lines/:id',
    scope: 'admin',
    body: z.object({
      label,
      is_active: z.boolean().optional().describe('`false` switches it off: what was accepted waits.'),
      settings,
    }),
    async handle({ caller, params, body }) {
      const line = await lineOf(deps.engine, caller, params);
      const isSet = await deps.writer.write(setLines, {
        ref: line.ref,
        label: body.label ?? null,
        isActive: body.is_active ?? null,
        ...settingsOf(body.settings),
      });
      if (!isSet) throw lineNotFound();
      await deps.registry.refresh();
      return adminLineBody(await readLineRecord(deps.engine, line.ref));
    },
  });
}

/** What is not named is null. */
function settingsOf(given: z.infer<typeof settings>): Omit<LineSettings, 'label'> {
  return {
    contactFirst: given?.contact_first ?? null,
    optOutKeywords: given?.opt_out_keywords ?? null,
    paceMs: given?.pace_ms ?? null,
  };
}

function driverRefusal(drivers: readonly string[]): string {
  return `names a driver that this server cannot run; it runs ${drivers.join(', ')}`;
}

function isThere(line: LineRecord): boolean {
  return line.removedAt === null;
}

/** A line of the caller's account, a removed one included, by its `ln_` id or its handle. */
async function lineOf(engine: Engine, caller: Caller, params: Readonly<Record<string, string>>): Promise<LineRecord> {
  const text = params['id'] ?? '';
  const name = hasPrefix('line', text) ? text : normaliseHandle(text);
  // No database can look for a NUL, and no line has one in its id.
  if (name === null || name.includes('\0')) throw lineNotFound();
  const line = await findLineRecord(engine, caller.accountRef, name);
  if (!line || !mayUse(caller, line)) throw lineNotFound();
  return line;
}

function lineNotFound(): ApiError {
  return new ApiError('line_not_found', { param: 'id' });
}
