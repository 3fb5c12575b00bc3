/** Guards, as a batch of writes meets them: before its writes and, in the same commit, after them. */
import type { Tx } from './database.ts';
import { checkKept, releaseKept } from './kept-answers.ts';
import type { AnswerBatch, Guard, Verdict } from './ticket.ts';
import { checkUnanswered, insertUnanswered, type LostWatch } from './unanswered.ts';
import type { Batch } from './writer.ts';

/** One for each guard, in order. */
export async function checkGuards(
  batch: Pick<Batch, 'tx' | 'wake'>,
  guards: readonly (Guard | null)[],
  lost: LostWatch,
): Promise<readonly Verdict[]> {
  const { tx } = batch;
  const verdicts: Verdict[] = guards.map(() => 'go');
  const asked = guards.flatMap((guard, index) => (guard ? [{ guard, index }] : []));
  if (asked.length === 0) return verdicts;
  const named = asked.filter(({ guard }) => guard.name !== null);
  const unnamed = asked.filter(({ guard }) => guard.name === null);
  const kept = named.length > 0 ? await checkKept(tx, named) : [];
  const again = unnamed.length > 0 ? await checkUnanswered(batch, unnamed, lost) : [];
  for (const { index, verdict } of [...kept, ...again]) verdicts[index] = verdict;
  return verdicts;
}

/** What was refused leaves no answer behind; the others' answers, and those that are given again, are on their way. */
export async function settleGuards(
  tx: Tx,
  answered: readonly Guard[],
  refused: readonly Guard[],
): Promise<AnswerBatch | null> {
  const named = refused.filter((guard) => guard.name !== null);
  if (named.length > 0) await releaseKept(tx, named);
  return insertUnanswered(
    tx,
    answered.filter((guard) => guard.name === null),
  );
}
