/**
 * The access matrix: every route, by every way of naming an object, for every kind of caller and every kind of object.
 * The expectations stand in `matrix-table.ts`; a route that is not there fails here.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from './harness.ts';
import { ask, askBySocket, bodyOf, type RawAnswer, rawRequest } from './matrix-ask.ts';
import { cellOf, createCallers, type MatrixCaller, meets } from './matrix-callers.ts';
import type { AccessRow, Cell, Outcome, Variant } from './matrix-row.ts';
import { createScene, OWNERS, type Owner, type Scene } from './matrix-scene.ts';
import { ACCESS_TABLE } from './matrix-table.ts';
import { expected, expectedOfSendblue, isSendblue, type Refusal, refusal, sendblueRefusal } from './tenancy.ts';

/** The callers whose keys are refused, those with every scope, one without the row's, and each scope alone. */
const CALLERS_OF_A_ROW = 5 + 4 + 1 + 17;
const CELLS_OF_A_VARIANT = CALLERS_OF_A_ROW * OWNERS.length;

describe.each(ENGINES)('60 and 61: the access matrix on %s', (engine) => {
  let scene: Scene;
  let callers: readonly MatrixCaller[];
  beforeAll(async () => {
    scene = await createScene(engine);
    callers = await createCallers(scene);
  });
  afterAll(() => scene.test.stop());

  it('has every route of the server, with its scope and status, and no other', () => {
    const served = scene.test.server.routes.map(({ method, path, scope, alsoBy, status }) => ({
      route: `${method} ${path}`,
      scope,
      alsoBy,
      status,
    }));
    const missing = served.filter(({ route }) => !ACCESS_TABLE.some((row) => row.route === route));
    const toDo = 'Add the route to test/matrix-table.ts: its scope, its keys, and how it names an object.';
    expect(missing, toDo).toEqual([]);
    const listed = ACCESS_TABLE.map(({ route, scope, alsoBy = [], status }) => ({ route, scope, alsoBy, status }));
    expect(sorted(listed)).toEqual(sorted(served));
  });

  const cases = ACCESS_TABLE.flatMap((row) =>
    row.variants.map((variant) => ({ row, variant, route: row.route, by: variant.by })),
  );
  it.each(cases)(`$route by $by: ${CELLS_OF_A_VARIANT} cells`, async ({ row, variant }) => {
    const wrong: unknown[] = [];
    const answers = new Map<string, Answered>();
    let cells = 0;
    for (const caller of callers.filter((one) => meets(one, row.scope))) {
      for (const owner of OWNERS) {
        const answered = await askCell(scene, row, variant, caller, owner);
        const difference = differenceOf(scene, row, variant, answered);
        if (difference !== null) wrong.push({ caller: caller.name, object: owner, ...difference });
        answers.set(`${caller.name} ${owner}`, answered);
        cells++;
      }
    }
    expect(wrong).toEqual([]);
    expect(cells).toBe(CELLS_OF_A_VARIANT);
    expect(tellingPairs(callers, answers), "61: another's object and none are told apart").toEqual([]);
  });

  it('OPTIONS needs no key under /v1 and gets nothing from it elsewhere', async () => {
    for (const { route } of ACCESS_TABLE) {
      const { path } = splitRoute(route);
      const answer = await ask(scene, { method: 'OPTIONS', url: path.replace(/:\w+/, 'x'), headers: {} });
      const cors = answer.headers['access-control-allow-origin'];
      const isOpen = path.startsWith('/v1/');
      expect({ path, status: answer.status, cors }).toEqual({
        path,
        status: isOpen ? 204 : 405,
        cors: isOpen ? '*' : undefined,
      });
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    }
  });

  it('HEAD of a path that has no GET, or whose GET does not end, is 405', async () => {
    const isRead = (path: string) => ACCESS_TABLE.some((row) => !row.isStream && isAt(row.route, `GET ${path}`));
    const paths = ACCESS_TABLE.map(({ route }) => splitRoute(route).path).filter((path) => !isRead(path));
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) {
      const answer = await ask(scene, { method: 'HEAD', url: path, headers: {} });
      expect({ path, status: answer.status, text: answer.text }).toEqual({ path, status: 405, text: '' });
    }
  });
});

interface Answered {
  readonly cell: Cell;
  readonly outcome: Outcome;
  readonly answer: RawAnswer;
  /** Of the same request by HEAD, where the row has it. */
  readonly head: RawAnswer | null;
  readonly isShown: boolean | null;
}

async function askCell(
  scene: Scene,
  row: AccessRow,
  variant: Variant,
  caller: MatrixCaller,
  owner: Owner,
): Promise<Answered> {
  const place = scene.places[owner];
  const { method } = splitRoute(row.route);
  const asked = await variant.request(place, scene);
  const request = rawRequest(method, asked, caller);
  const answer = await (row.isStream ? askBySocket(scene, request) : ask(scene, request));
  const isGranted = answer.status === row.status && !row.isStream;
  const body = isGranted ? bodyOf(answer) : {};
  const isShown = isGranted && variant.shows ? variant.shows(body, place, asked) : null;
  if (isGranted && variant.restore) await variant.restore(scene, place, body);
  const hasHead = method === 'GET' && !row.isStream;
  const head = hasHead ? await ask(scene, { ...request, method: 'HEAD' }) : null;
  const cell = cellOf(caller, owner);
  return { cell, outcome: outcomeOf(row, variant, caller, cell), answer, head, isShown };
}

/** In the order of checks: the key, its scope, then the object. */
function outcomeOf(row: AccessRow, variant: Variant, caller: MatrixCaller, cell: Cell): Outcome {
  if (caller.refusal !== null) return caller.refusal;
  const opens = [row.scope, ...(row.alsoBy ?? [])];
  return caller.scopes.some((scope) => opens.includes(scope)) ? variant.outcome(cell) : ['insufficient_scope'];
}

/** What is wrong with an answer, or null. */
function differenceOf(scene: Scene, row: AccessRow, variant: Variant, answered: Answered): object | null {
  const { outcome, answer, head, isShown, cell } = answered;
  const isOfSendblue = isSendblue(splitRoute(row.route).path);
  const status = outcome === 'ok' ? row.status : expectedAt(isOfSendblue, outcome).status;
  if (answer.status !== status) return { outcome, answer };
  if (head && (head.status !== status || head.text !== '')) return { outcome, head };
  if (outcome !== 'ok') {
    const whole = { ...answer, body: bodyOf(answer) };
    const got = isOfSendblue ? sendblueRefusal(whole) : refusal(whole);
    return same(got, expectedAt(isOfSendblue, outcome)) ? null : { outcome, got };
  }
  const shouldShow = (variant.isShown ?? ((one: Cell) => one.relation === 'visible'))(cell);
  if (isShown !== null && isShown !== shouldShow) return { outcome, isShown };
  const others = namesOfOthers(scene, cell).filter((name) => answer.text.includes(name));
  return others.length === 0 ? null : { outcome, others };
}

function expectedAt(isOfSendblue: boolean, [code, param]: Exclude<Outcome, 'ok'>): Refusal {
  return isOfSendblue ? expectedOfSendblue(code) : expected(code, param);
}

/** What no answer to this caller may hold: the ids of what its key may not use. */
function namesOfOthers(scene: Scene, cell: Cell): string[] {
  if (cell.relation === 'visible' || cell.owner === 'absent') return [];
  const { line, messageId, guid, handle, chatId, groupId, outboxId, webhookId } = scene.places[cell.owner];
  return [line.id, messageId, guid, handle, chatId, groupId, outboxId, webhookId];
}

/** Two answers, for an object that is not the caller's to see and for none, that differ though both refuse it alike. */
function tellingPairs(callers: readonly MatrixCaller[], answers: ReadonlyMap<string, Answered>): unknown[] {
  return callers.flatMap(({ name }) => {
    const absent = answers.get(`${name} absent`);
    if (!absent || absent.outcome === 'ok') return [];
    return OWNERS.flatMap((owner) => {
      const other = answers.get(`${name} ${owner}`);
      if (!other || !same(other.outcome, absent.outcome)) return [];
      const pair = [comparable(other.answer), comparable(absent.answer)];
      return same(pair[0], pair[1]) ? [] : [{ caller: name, owner, pair }];
    });
  });
}

/** An answer without what is another's in every answer: the request's id, the time, and what is left of the hour. */
function comparable({ status, headers, text }: RawAnswer): unknown {
  const id = headers['x-request-id'] ?? '';
  const passing = ['x-request-id', 'date', 'server-timing', 'ratelimit-remaining', 'ratelimit-reset'];
  const lasting = Object.entries(headers).filter(([name]) => !passing.includes(name));
  return { status, text: text.replaceAll(id, 'req'), lasting, names: Object.keys(headers) };
}

/** A part of one path may be what varies in another one. */
function isAt(pattern: string, route: string): boolean {
  const parts = route.split('/');
  const wanted = pattern.split('/');
  return wanted.length === parts.length && wanted.every((part, at) => part.startsWith(':') || part === parts[at]);
}

function splitRoute(route: string): { method: string; path: string } {
  const [method = '', path = ''] = route.split(' ');
  return { method, path };
}

function same(one: unknown, two: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(two);
}

function sorted<T extends { route: string }>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => (a.route < b.route ? -1 : 1));
}
