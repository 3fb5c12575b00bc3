/**
 * Answers kept for an Idempotency-Key for 24 hours, unique by API key, route and name; and for two minutes those of
 * clients that say which of their tries a request is, under a name made of what they ask.
 */
import { ApiError } from '../domain/errors.ts';
import { type Engine, insertInto, type Row, statement, type Tx } from './database.ts';
import { AnsweredBefore, type Guard, type Verdict } from './ticket.ts';
import type { Write } from './writer.ts';

const KEPT_MS = 24 * 60 * 60_000;
const ATTEMPT_KEPT_MS = 2 * 60_000;

const byName = { key_ref: 'int', route: 'text', name: 'text' } as const;

/**
 * A name whose time is over is free again. Whoever inserts the same name meanwhile waits for this commit. A first try is
 * another request however alike they are, unless a repeat of its own overtook it.
 */
const takeName = insertInto(
  'kept_answers',
  { ...byName, fingerprint: 'text', holder: 'text', status: 'int', body: 'text', expires_at: 'int' },
  `on conflict (key_ref, route, name) do update set fingerprint = excluded.fingerprint, holder = excluded.holder,
     status = excluded.status, body = excluded.body, expires_at = excluded.expires_at
   where kept_answers.expires_at <= excluded.expires_at - case when excluded.fingerprint in ('first', 'repeat')
       then ${ATTEMPT_KEPT_MS} else ${KEPT_MS} end
     or excluded.fingerprint = 'first' and (kept_answers.fingerprint = 'first' or kept_answers.expires_at <= excluded.expires_at)
   returning key_ref, route, name`,
);

const keptByName = statement(
  byName,
  `select k.key_ref, k.route, k.name, k.fingerprint, k.holder, k.status, k.body, k.expires_at
   from kept_answers k{, items} where k.key_ref = i.key_ref and k.route = i.route and k.name = i.name`,
);

const dropName = statement(
  byName,
  `delete from kept_answers {using items} where kept_answers.key_ref = i.key_ref and kept_answers.route = i.route
     and kept_answers.name = i.name`,
);

const takeOver = statement(
  { ...byName, fingerprint: 'text', holder: 'text', former: 'text' },
  `update kept_answers set holder = i.holder where key_ref = i.key_ref and route = i.route and name = i.name
     and fingerprint = i.fingerprint and holder = i.former and status is null returning name`,
);

const fillIn = statement(
  { ...byName, status: 'int', body: 'text' },
  `update kept_answers set status = i.status, body = i.body {from items} where kept_answers.key_ref = i.key_ref
     and kept_answers.route = i.route and kept_answers.name = i.name and kept_answers.status is null`,
);

export interface Asked {
  readonly guard: Guard;
  readonly index: number;
}

/** Takes the names that are free. Of twins in one batch the first goes on, and the others wait for what becomes of it. */
export async function checkKept(tx: Tx, asked: readonly Asked[]): Promise<{ index: number; verdict: Verdict }[]> {
  const firsts = new Map<string, Guard>();
  for (const { guard } of asked) if (!firsts.has(nameOf(guard))) firsts.set(nameOf(guard), guard);
  // In one order, so that two batches that want the same names do not wait for each other.
  const wanted = [...firsts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, guard]) => guard);
  const taken = await tx.each(
    takeName,
    wanted.map((guard) => keptRow(guard, tx.process)),
  );
  const free = new Set(taken.map(nameOfRow));
  const held = wanted.filter((guard) => !free.has(nameOf(guard)));
  const rows = new Map((await tx.each(keptByName, held.map(nameRow))).map((row) => [nameOfRow(row), row]));
  const verdicts: { index: number; verdict: Verdict }[] = [];
  for (const { guard, index } of asked) {
    const row = rows.get(nameOf(guard));
    if (row) verdicts.push({ index, verdict: await verdictOf(tx, guard, row) });
    else if (firsts.get(nameOf(guard)) !== guard) verdicts.push({ index, verdict: 'later' });
  }
  return verdicts;
}

/** The verdict before anything else of the request is looked at: null where the name is free. */
export async function findKept(engine: Engine, guard: Guard): Promise<AnsweredBefore | ApiError | null> {
  const [row] = await engine.read(keptByName, nameRow(guard));
  if (!row || Number(row['expires_at']) <= guard.now) return null;
  return isSame(guard, row) ? answerOf(row) : new ApiError('idempotency_key_reused');
}

/** A name that is made of what is asked says by itself that it is the same. */
function isSame(guard: Guard, row: Row): boolean {
  return guard.attempt !== null || row['fingerprint'] === guard.fingerprint;
}

export async function releaseKept(tx: Tx, guards: readonly Guard[]): Promise<void> {
  await tx.each(dropName, guards.map(nameRow));
}

/** Takes the name for work that is done elsewhere. A refusal comes as an exception, as of any guarded write. */
export const reserveName: Write<null, null> = {
  name: 'reserve_name',
  kind: 'outcome',
  concurrency: 1,
  run: async (_batch, items) => items.map(() => null),
};

/** Keeps the answer of that work, or gives the name back where there is none to keep. */
export const completeNames: Write<Guard, null> = {
  name: 'complete_names',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, guards) {
    const answered = guards.filter((guard) => guard.answer !== null);
    await tx.each(
      fillIn,
      answered.map((guard) => ({
        ...nameRow(guard),
        status: guard.answer?.status ?? 0,
        body: guard.answer?.body ?? '',
      })),
    );
    await releaseKept(
      tx,
      guards.filter((guard) => guard.answer === null),
    );
    return guards.map(() => null);
  },
};

async function verdictOf(tx: Tx, guard: Guard, row: Row): Promise<Verdict> {
  if (!isSame(guard, row)) return new ApiError('idempotency_key_reused');
  const answer = answerOf(row);
  if (answer) return answer;
  // Whoever was at it is gone, and what it did elsewhere is not known to us: the client's repeat does it again.
  const former = String(row['holder']);
  if (!(await tx.isAlive(former))) {
    const item = { ...nameRow(guard), fingerprint: guard.fingerprint, holder: tx.process, former };
    if ((await tx.one(takeOver, item)).length > 0) return 'go';
  }
  return new ApiError('idempotency_key_in_progress');
}

function answerOf(row: Row): AnsweredBefore | null {
  if (row['status'] === null || row['body'] === null) return null;
  return new AnsweredBefore({ status: Number(row['status']), body: String(row['body']) });
}

function keptRow(guard: Guard, holder: string): Row {
  const { status = null, body = null } = guard.answer ?? {};
  const expiresAt = guard.now + (guard.attempt === null ? KEPT_MS : ATTEMPT_KEPT_MS);
  return { ...nameRow(guard), fingerprint: guard.fingerprint, holder, status, body, expires_at: expiresAt };
}

function nameRow({ keyRef, route, name }: Guard): Row {
  return { key_ref: keyRef, route, name: name ?? '' };
}

function nameOf({ keyRef, route, name }: Guard): string {
  return `${keyRef} ${route} ${name}`;
}

function nameOfRow(row: Row): string {
  return `${row['key_ref']} ${row['route']} ${row['name']}`;
}
