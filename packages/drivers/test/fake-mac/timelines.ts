/**
 * Random timelines of what happens on a Mac (h.2): stories that overlap, each a few acts at their times. fast-check
 * makes them from a seed and takes stories away until the fewest are left that show a fault.
 */
import fc from 'fast-check';
import type { FakeMac } from './mac.ts';
import type { Expected } from './oracle.ts';
import type { Step } from './steps.ts';
import { changeStories, replacements, type Story, textStories, upheavalStories } from './stories.ts';

export interface Timeline {
  readonly stories: readonly { readonly at: number; readonly story: Story }[];
}

export interface TimelineLimits {
  readonly stories?: number;
  /** When the last story begins at the latest. */
  readonly lengthMs?: number;
  /** Rows of one flood: a real one has thousands. */
  readonly floodRows?: number;
}

/** How far a sender's clock may be behind: less than what counts as old. */
const CLOCK_SKEW_MS = 300_000;

/**
 * In one timeline either the senders' clocks are behind or the database is replaced: after that nobody can tell a row
 * that is dated before the bridge's first start from one that was there before it.
 */
export function timelines(limits: TimelineLimits = {}): fc.Arbitrary<Timeline> {
  return fc.oneof(makeTimelines(limits, { hasSkew: true }), makeTimelines(limits, { hasSkew: false }));
}

function makeTimelines(
  { stories = 12, lengthMs = 1_500, floodRows = 150 }: TimelineLimits,
  { hasSkew }: { readonly hasSkew: boolean },
): fc.Arbitrary<Timeline> {
  const story = fc.oneof(
    { weight: 6, arbitrary: textStories(hasSkew ? CLOCK_SKEW_MS : 0) },
    { weight: 3, arbitrary: changeStories() },
    { weight: 3, arbitrary: upheavalStories(floodRows) },
    ...(hasSkew ? [] : [{ weight: 1, arbitrary: replacements() }]),
  );
  const begun = fc.record({ at: fc.integer({ min: 0, max: lengthMs }), story });
  return fc.array(begun, { minLength: 1, maxLength: stories }).map((all) => ({ stories: all }));
}

/** The two groups that stories play in; they are there before anything happens. */
const PRELUDE: readonly Step[] = [
  { at: 0, name: 'createGroup', act: { participants: ['+15550109999', '+15550109998'], name: 'Hike' }, as: 'group' },
  {
    at: 0,
    name: 'createGroup',
    act: { participants: ['+15550109999', 'ada@example.com'], name: null, hex: true },
    as: 'hexGroup',
  },
];

function stepsOf({ stories }: Timeline): Step[] {
  const played = stories.flatMap(({ at, story }, place) =>
    story.steps.map((step): Step => {
      const own = renameOwn(step, `story${place}`);
      return { ...own, at: at + step.at };
    }),
  );
  return [...PRELUDE, ...played];
}

/** Plays it to its end, and returns what a perfect bridge must have told. */
export async function playTimeline(mac: FakeMac, timeline: Timeline): Promise<readonly Expected[]> {
  await mac.play(stepsOf(timeline));
  await mac.settle();
  return mac.act('oracle', {});
}

/** A story's own names begin with `@own`: each story gets names that no other has. */
function renameOwn(step: Step, story: string): Step {
  return JSON.parse(JSON.stringify(step).replaceAll('"@own', `"@${story}`).replaceAll('"as":"own', `"as":"${story}`));
}
