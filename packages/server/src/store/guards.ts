/** Guards, as a batch of writes meets them: before its writes and, in the same commit, after them. */
import type { Tx } from './database.ts';
import { checkKept, releaseKept } from './kept-answers.ts';
import type { Guard, Verdict } from './ticket.ts';
import { checkUnanswered, insertUnanswered } from './unanswered.ts';

/** One for each guard, in order. */
export async function checkGuards(tx: Tx, guards: readonly (Guard | null)[]): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = guards.map(() => 'go');
  const asked = guards.flatMap((guard, index) => (guard ? [{ guard, index }] : []));
  if (asked.length === 0) return verdicts;
  const named = asked.filter(({ guard }) => guard.name !== null);
  const unnamed = asked.filter(({ guard }) => guard.name === null);
  const kept = named.length > 0 ? await checkKept(tx, named) : [];
  const lost = unnamed.length > 0 ? await checkUnanswered(tx, unnamed) : [];
  for (const { index, verdict } of [...kept, ...lost]) verdicts[index] = verdict;
  return verdicts;
}

/** What was refused leaves no answer behind; the others' answers have yet to reach their clients. */
export async function settleGuards(tx: Tx, done: readonly Guard[], refused: readonly Guard[]): Promise<void> {
  const unnamed = done.filter((guard) => guard.name === null);
  if (unnamed.length > 0) await insertUnanswered(tx, unnamed);
  const named = refused.filter((guard) => guard.name !== null);
  if (named.length > 0) await releaseKept(tx, named);
}
