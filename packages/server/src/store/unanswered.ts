/**
 * Answers that may not have reached their clients, of requests without an Idempotency-Key. An identical request within
 * a minute is given such an answer when the first one's connection closed before it was written, or when the process that
 * was writing it is gone. While that process lives and writes, an identical request is another one.
 */
import { insertInto, type Row, statement, type Tx } from './database.ts';
import type { Asked } from './kept-answers.ts';
import { AnsweredBefore, type Guard, type Verdict } from './ticket.ts';
import type { Write } from './writer.ts';

const LOST_ANSWER_MS = 60_000;

const columns = {
  fingerprint: 'text',
  id: 'text',
  holder: 'text',
  is_lost: 'int',
  status: 'int',
  body: 'text',
  created_at: 'int',
} as const;

const insertRow = insertInto('unanswered', columns);
const markRow = insertInto('unanswered', columns, 'on conflict (fingerprint, id) do update set is_lost = 1');

const sameRequests = statement(
  { fingerprint: 'text', since: 'int' },
  `select i.ord as ord, u.fingerprint, u.id, u.holder, u.is_lost, u.status, u.body, u.created_at
   from unanswered u{, items} where u.fingerprint = i.fingerprint and u.created_at > i.since`,
);

const takeRow = statement(
  { fingerprint: 'text', id: 'text', holder: 'text', former: 'text' },
  `update unanswered set holder = i.holder, is_lost = 0 where fingerprint = i.fingerprint and id = i.id
     and (is_lost = 1 or holder = i.former) returning id`,
);

const dropRow = statement(
  { fingerprint: 'text', id: 'text' },
  `delete from unanswered {using items} where unanswered.fingerprint = i.fingerprint and unanswered.id = i.id
     and unanswered.is_lost = 0`,
);

export async function checkUnanswered(tx: Tx, asked: readonly Asked[]): Promise<{ index: number; verdict: Verdict }[]> {
  const items = asked.map(({ guard }) => ({ fingerprint: guard.fingerprint, since: guard.now - LOST_ANSWER_MS }));
  const verdicts: { index: number; verdict: Verdict }[] = [];
  const given = new Set<string>();
  for (const row of await tx.each(sameRequests, items)) {
    const index = asked[Number(row['ord'])]?.index;
    const id = String(row['id']);
    if (index === undefined || given.has(id) || verdicts.some((one) => one.index === index)) continue;
    if (!(await takeIfLost(tx, row))) continue;
    given.add(id);
    const answer = { status: Number(row['status']), body: String(row['body']) };
    verdicts.push({ index, verdict: new AnsweredBefore(answer, id) });
  }
  return verdicts;
}

export async function insertUnanswered(tx: Tx, guards: readonly Guard[]): Promise<void> {
  await tx.each(
    insertRow,
    guards.map((guard) => unansweredRow(guard, tx.process, 0)),
  );
}

/** The answer reached its client: a request like it is a new one from now on. */
export const forgetAnswers: Write<Guard, null> = {
  name: 'forget_answers',
  kind: 'outcome',
  concurrency: 1,
  isPatient: true,
  async run({ tx }, guards) {
    await tx.each(dropRow, guards.map(({ fingerprint, id }) => ({ fingerprint, id })).sort(byFingerprint));
    return guards.map(() => null);
  },
};

/** The connection closed before the answer was written, or broke while it was on its way. */
export const markAnswersLost: Write<Guard, null> = {
  name: 'mark_answers_lost',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, guards) {
    const rows = new Map(guards.map((guard) => [`${guard.fingerprint} ${guard.id}`, guard]));
    await tx.each(
      markRow,
      [...rows.values()].sort(byFingerprint).map((guard) => unansweredRow(guard, tx.process, 1)),
    );
    return guards.map(() => null);
  },
};

async function takeIfLost(tx: Tx, row: Row): Promise<boolean> {
  const former = String(row['holder']);
  if (row['is_lost'] !== 1 && (await tx.isAlive(former))) return false;
  const item = { fingerprint: String(row['fingerprint']), id: String(row['id']), holder: tx.process, former };
  return (await tx.one(takeRow, item)).length > 0;
}

function unansweredRow(guard: Guard, holder: string, isLost: 0 | 1): Row {
  return {
    fingerprint: guard.fingerprint,
    id: guard.id,
    holder,
    is_lost: isLost,
    status: guard.answer?.status ?? 0,
    body: guard.answer?.body ?? '',
    created_at: guard.now,
  };
}

function byFingerprint(a: { fingerprint: string; id: string }, b: { fingerprint: string; id: string }): number {
  return a.fingerprint < b.fingerprint || (a.fingerprint === b.fingerprint && a.id < b.id) ? -1 : 1;
}
