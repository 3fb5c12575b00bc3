/**
 * Answers that may not have reached their clients, of requests without an Idempotency-Key. The answers of one commit are
 * one row, dropped once all of them were handed to the network: a row for each request would cost as much as its send. An
 * answer that is known to be lost (its connection closed first, or its process is gone) has a row of its own, and an
 * identical request within a minute is given it.
 */
import { randomUUID } from 'node:crypto';
import { type Engine, insertInto, type Row, statement, type Tx } from './database.ts';
import type { Asked } from './kept-answers.ts';
import { type AnswerBatch, AnsweredBefore, type Guard, type Verdict } from './ticket.ts';
import type { Batch, Write } from './writer.ts';

const LOST_ANSWER_MS = 60_000;
/** How often a busy process looks for what others left that died: sooner than a client tries again. */
const LOOK_EVERY_MS = 100;
const LOST_TOPIC = 'lost answers';
const BETWEEN_ANSWERS = '\x1e';
export const BETWEEN_FIELDS = '\x1f';

const insertBatch = insertInto('unanswered', { id: 'text', holder: 'text', answers: 'text', created_at: 'int' });
const dropBatch = statement({ id: 'text' }, 'delete from unanswered {using items} where unanswered.id = i.id');

const otherHolders = statement({ holder: 'text' }, 'select distinct holder from unanswered where holder <> i.holder');
const takeBatches = statement(
  { holder: 'text' },
  'delete from unanswered where holder = i.holder returning answers, created_at',
);

const insertLost = insertInto(
  'lost_answers',
  { fingerprint: 'text', id: 'text', status: 'int', body: 'text', created_at: 'int' },
  'on conflict (fingerprint, id) do nothing',
);
const anyLost = statement({}, 'select 1 as found from lost_answers limit 1');
const lostLike = statement(
  { fingerprint: 'text', since: 'int' },
  `select i.ord as ord, l.fingerprint, l.id, l.status, l.body from lost_answers l{, items}
   where l.fingerprint = i.fingerprint and l.created_at > i.since`,
);
const takeLost = statement(
  { fingerprint: 'text', id: 'text' },
  'delete from lost_answers where fingerprint = i.fingerprint and id = i.id returning id',
);

/** What a process knows of lost answers without asking. */
export interface LostWatch {
  mayBeLost: boolean;
  /** How often it was told of one. */
  marks: number;
  /** When orphans were last looked for, by the time of requests. */
  lookedAt: number;
}

/** It is told of answers that are marked as lost; those of a process that died it looks for, now and then. */
export function watchLostAnswers(engine: Pick<Engine, 'onWake'>): LostWatch {
  const watch = { mayBeLost: true, marks: 0, lookedAt: Number.NEGATIVE_INFINITY };
  engine.onWake((topic) => {
    if (topic !== LOST_TOPIC) return;
    watch.mayBeLost = true;
    watch.marks++;
  });
  return watch;
}

/** Whoever asks for what was lost is given it, once; whoever asks for what is still on its way makes another request. */
export async function checkUnanswered(
  { tx, wake }: Pick<Batch, 'tx' | 'wake'>,
  asked: readonly Asked[],
  watch: LostWatch,
): Promise<{ index: number; verdict: Verdict }[]> {
  const now = asked[0]?.guard.now ?? 0;
  if (Math.abs(now - watch.lookedAt) >= LOOK_EVERY_MS) {
    watch.lookedAt = now;
    // Behind the wake-ups, of which one may have been missed.
    watch.mayBeLost = true;
    if (await adoptOrphans(tx)) wake(LOST_TOPIC);
  }
  if (!watch.mayBeLost) return [];
  const { marks } = watch;
  if ((await tx.one(anyLost, {})).length === 0) {
    // What was marked while it was asked may be missing in the answer.
    if (watch.marks === marks) watch.mayBeLost = false;
    return [];
  }
  const items = asked.map(({ guard }) => ({ fingerprint: guard.fingerprint, since: guard.now - LOST_ANSWER_MS }));
  const verdicts = new Map<number, Verdict>();
  for (const row of await tx.each(lostLike, items)) {
    const index = asked[Number(row['ord'])]?.index;
    if (index === undefined || verdicts.has(index)) continue;
    const lost = { fingerprint: String(row['fingerprint']), id: String(row['id']) };
    if ((await tx.one(takeLost, lost)).length === 0) continue;
    const answer = { status: Number(row['status']), body: String(row['body']) };
    verdicts.set(index, new AnsweredBefore(answer, lost.id));
  }
  return [...verdicts].map(([index, verdict]) => ({ index, verdict }));
}

/** Keeps the answers of a commit, those that are given again among them. Null where there are none. */
export function insertUnanswered(tx: Tx, guards: readonly Guard[]): AnswerBatch | null {
  const [first] = guards;
  if (!first) return null;
  const id = randomUUID();
  const answers = guards.map(lineOf).join(BETWEEN_ANSWERS);
  tx.atCommit(insertBatch, [{ id, holder: tx.process, answers, created_at: first.now }]);
  return { id, open: guards.length };
}

/** All of a commit's answers have reached their clients, or have a row of their own: it leaves nothing to make good. */
export const dropAnswers: Write<{ ids: readonly string[] }, null> = {
  name: 'drop_answers',
  kind: 'outcome',
  concurrency: 1,
  isPatient: true,
  async run({ tx }, items) {
    await tx.each(
      dropBatch,
      [...new Set(items.flatMap(({ ids }) => ids))].sort().map((id) => ({ id })),
    );
    return items.map(() => null);
  },
};

/** The connection closed before the answer was written, or broke while it was on its way. */
export const markAnswersLost: Write<Guard, null> = {
  name: 'mark_answers_lost',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx, wake }, guards) {
    wake(LOST_TOPIC);
    const rows = new Map(guards.map((guard) => [`${guard.fingerprint} ${guard.id}`, lostRow(guard)]));
    await tx.each(
      insertLost,
      [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
    );
    return guards.map(() => null);
  },
};

/** What a process left that is gone is lost: whether those answers were delivered nobody knows. Says if there were any. */
async function adoptOrphans(tx: Tx): Promise<boolean> {
  let found = false;
  for (const row of await tx.one(otherHolders, { holder: tx.process })) {
    const holder = String(row['holder']);
    if (await tx.isAlive(holder)) continue;
    const batches = await tx.one(takeBatches, { holder });
    const lost = batches.flatMap((batch) =>
      String(batch['answers'])
        .split(BETWEEN_ANSWERS)
        .sort()
        .map((line) => ({ ...answerOf(line), created_at: batch['created_at'] ?? 0 })),
    );
    await tx.each(insertLost, lost);
    found ||= lost.length > 0;
  }
  return found;
}

/** An answer in a row of `unanswered`. What parts it cannot be in JSON, nor in a path. */
function lineOf({ fingerprint, id, answer }: Guard): string {
  return `${fingerprint}${BETWEEN_FIELDS}${id}${BETWEEN_FIELDS}${answer?.status ?? 0}${BETWEEN_FIELDS}${answer?.body ?? ''}`;
}

function answerOf(line: string) {
  const [fingerprint = '', id = '', status = '', body = ''] = line.split(BETWEEN_FIELDS);
  return { fingerprint, id, status: Number(status), body };
}

function lostRow({ fingerprint, id, answer, now }: Guard): Row {
  return { fingerprint, id, status: answer?.status ?? 0, body: answer?.body ?? '', created_at: now };
}
