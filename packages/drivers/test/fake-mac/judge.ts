/** Holds what a bridge has told against what a perfect one must have told (h.2). */
import type { Expected, ExpectedMessage } from './oracle.ts';

/** A message as a bridge told of it, once for each GUID. */
export interface Told {
  readonly guid: string;
  readonly chat: string;
  readonly isFromMe: boolean;
  /** Looked at for an inbound message alone. */
  readonly sender: string;
  readonly text: string | null;
  readonly isOld: boolean;
}

/** A sentence for each fault: a message that was lost, told twice, told wrongly, or that is none. */
export function judge(
  expected: readonly Expected[],
  told: readonly Told[],
  { hasGaps = false }: { readonly hasGaps?: boolean } = {},
): string[] {
  const gaps = !hasGaps ? 'none' : wasReplaced(expected) ? 'over a replacement' : 'some';
  const byGuid = new Map(expected.map((one) => [one.guid, one]));
  const wholes = new Map(expected.flatMap((one) => (one.what === 'message' ? one.rows.map((row) => [row, one]) : [])));
  const seen = new Map<string, Told>();
  const faults: string[] = [];
  for (const one of told) {
    if (seen.has(one.guid)) faults.push(`${one.guid} was told twice.`);
    seen.set(one.guid, one);
    const known = byGuid.get(one.guid);
    const whole = wholes.get(one.guid);
    if (known?.what === 'message') faults.push(...compare(known, one));
    else if (whole !== undefined) faults.push(`${one.guid} is a piece of ${whole.guid} and was told by itself.`);
    else faults.push(`${one.guid} is no message (${known === undefined ? 'unknown' : nameOf(known)}).`);
  }
  for (const one of expected) {
    if (one.what === 'message' && !seen.has(one.guid) && mustBeTold(one, gaps))
      faults.push(`${one.guid} was lost: ${one.text}`);
  }
  return faults;
}

/**
 * What was deleted before a bridge could look need not be told, nor what failed and so reached nobody. One that had gaps may
 * have been away while there was something to see of a message that was then taken back, and while another database took
 * the place of the known one and old rows came in: it is searched by date, and no further back than the line goes (a.7).
 */
function mustBeTold({ completeAt, later, isOld }: ExpectedMessage, gaps: 'none' | 'some' | 'over a replacement') {
  if (completeAt === null || (isOld && gaps === 'over a replacement')) return false;
  const excuses = ['deleted', 'failed', ...(gaps === 'none' ? [] : ['unsent'])];
  return !later.some(({ what }) => excuses.includes(what));
}

function wasReplaced(expected: readonly Expected[]): boolean {
  return expected.some((one) => one.what === 'message' && one.later.some(({ what }) => what === 'replaced'));
}

function nameOf(expected: Expected): string {
  return expected.what === 'silence' ? expected.why : expected.what;
}

function compare(expected: ExpectedMessage, told: Told): string[] {
  const fault = (what: string, is: unknown, mustBe: unknown): string[] =>
    is === mustBe ? [] : [`${expected.guid}: ${what} is ${String(is)} and must be ${String(mustBe)}.`];
  const texts = textsOf(expected);
  return [
    ...(expected.completeAt === null ? [`${expected.guid} was told before it was complete.`] : []),
    ...fault('the chat', told.chat, expected.chat),
    ...fault('isFromMe', told.isFromMe, expected.isFromMe),
    ...fault('isOld', told.isOld, expected.isOld),
    ...(expected.isFromMe ? [] : fault('the sender', told.sender, expected.sender)),
    ...(texts.includes(told.text ?? '') ? [] : fault('the text', told.text, texts.join(' | '))),
  ];
}

/** Whoever looks late sees the newest text, and nothing where it was taken back. */
function textsOf({ text, later }: ExpectedMessage): string[] {
  return [
    text ?? '',
    ...later.flatMap((one) => {
      if (one.what === 'edited' || one.what === 'part_unsent') return [one.text];
      return one.what === 'unsent' ? [''] : [];
    }),
  ];
}
