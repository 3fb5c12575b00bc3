/**
 * 51 to 53 and 59: bad input, made from the routes' rows. Few cases in `npm test`, many by `npm run soak`; a failure
 * prints its seed, and `FUZZ_SEED=<seed>` runs the same cases again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countFrom } from '../../../test/counts.ts';
import type { Route } from '../src/http/route.ts';
import { expectDocumented, expectNoPollution } from './fuzz-answers.ts';
import { readBack, readBackFile, readBackSent, type SentTexts } from './fuzz-readback.ts';
import { type Bends, bend, bendsOf } from './fuzz-requests.ts';
import { ENGINES } from './harness.ts';
import { ask, askBySocket, bodyOf, type RawRequest } from './matrix-ask.ts';
import type { AccessRow } from './matrix-row.ts';
import { createScene, type Scene } from './matrix-scene.ts';
import { ACCESS_TABLE } from './matrix-table.ts';

const CASES = countFrom('FUZZ_CASES');
/** PostgreSQL has its own ways to fail, and each case costs more there. */
const CASES_OF = { sqlite: CASES, postgres: Math.ceil(CASES / 5) } as const;
/** The same cases in every `npm test`, so that a change fails for what it changed; others in every long run. */
const SEED = Number(
  process.env['FUZZ_SEED'] ??
    (process.env['FUZZ_CASES'] === undefined ? 20_251_121 : Math.floor(Math.random() * 2 ** 31)),
);
/** Far beyond what any answer takes: what is not answered by then hangs. */
const HANG_MS = 10_000;
const REPORT_MAX = 3_000;

describe.each(ENGINES)(`51, 52, 53: bad input on %s, FUZZ_SEED=${SEED}`, (engine) => {
  let scene: Scene;
  const sent: SentTexts = new Map();
  beforeAll(async () => {
    scene = await createScene(engine);
  });
  afterAll(() => scene.test.stop());

  it('every route of the server can be asked', () => {
    const unknown = scene.test.server.routes
      .map(({ method, path }) => `${method} ${path}`)
      .filter((route) => !ACCESS_TABLE.some((row) => row.route === route));
    expect(unknown, 'Add the route to test/matrix-table.ts; its first variant is where the fuzzer begins.').toEqual([]);
  });

  it.each(ACCESS_TABLE.map((access) => ({ access, route: access.route })))(
    `${CASES_OF[engine]} requests of $route`,
    async ({ access }) => {
      const row = rowOf(scene, access);
      const property = fc.asyncProperty(bendsOf(row), (bends) => tryOne(scene, row, access, bends, sent));
      await fc.assert(property, { numRuns: CASES_OF[engine], seed: SEED, reporter });
      expectNoPollution();
    },
  );

  it('a body of any depth is answered, and with an Idempotency-Key refused where it is deeper than 128', async () => {
    const { own } = scene.places;
    const authorization = `Bearer ${own.ownerKey}`;
    for (const levels of [100, 200, 5_000, 100_000]) {
      const payload = `{"from":"${own.line.id}","to":"${own.chatId}","text":"Deep","x":${'['.repeat(levels)}${']'.repeat(levels)}}`;
      const headers = { authorization, 'content-type': 'application/json' };
      const plain = { method: 'POST', url: '/v1/messages', headers, payload };
      expect((await ask(scene, plain)).status).toBe(201);
      const named = await ask(scene, { ...plain, headers: { ...headers, 'idempotency-key': `deep ${levels}` } });
      expect(named.status).toBe(levels < 128 ? 201 : 400);
    }
  });

  it('what was accepted is in the chat and on the phone as it was given', async () => {
    expect(sent.size).toBeGreaterThan(0);
    await readBackSent(scene, scene.places.own, sent);
  });
});

/** The counterexample may hold a text of any length. */
function reporter(details: fc.RunDetails<[Bends]>): void {
  if (!details.failed) return;
  const text = fc.defaultReportMessage(details) ?? 'A case failed.';
  throw new Error(text.slice(0, REPORT_MAX), { cause: details.errorInstance });
}

async function tryOne(scene: Scene, row: Route, access: AccessRow, bends: Bends, sent: SentTexts): Promise<void> {
  const { own } = scene.places;
  const [variant] = access.variants;
  const asked = await variant.request(own, scene);
  const credentials = { authorization: `Bearer ${own.ownerKey}`, keyId: own.ownerKeyId };
  const request = bend(row.method, row, asked, credentials, bends);
  const answer = await withinBound(access.isStream ? askBySocket(scene, request) : ask(scene, request));
  expectDocumented(row, access, answer);
  // The bytes of a form are within it: what becomes of them is read back in a test of its own.
  if (answer.status >= 300 || access.isStream || row.hasForm) return;
  const body = bodyOf(answer);
  if (answer.headers['idempotent-replayed'] !== 'true')
    await (row.rawBody
      ? readBackFile(scene, request, body)
      : readBack(scene, access.route, givenOf(request), body, sent));
  await variant.restore?.(scene, own, body);
}

async function withinBound<T>(work: Promise<T>): Promise<T> {
  const hang = new AbortController();
  const late = sleep(HANG_MS, null, { signal: hang.signal }).then(
    () => {
      throw new Error(`No answer within ${HANG_MS / 1_000} s.`);
    },
    () => work,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    hang.abort();
  }
}

/** The fields of a body that was accepted, which is therefore a JSON object. */
function givenOf({ payload }: RawRequest): Record<string, unknown> {
  const bytes = Buffer.from(payload === undefined || payload.length === 0 ? '{}' : payload);
  // Like the server's, it leaves out a mark of the byte order.
  const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
}

function rowOf({ test }: Scene, { route }: AccessRow): Route {
  const row = test.server.routes.find(({ method, path }) => `${method} ${path}` === route);
  if (!row) throw new Error(`The server has no route ${route}: take it out of test/matrix-table.ts.`);
  return row;
}
