/** What a figure is: one number measured round by round, its yardstick beside it in the same rounds, and its goal. */

export type Unit = '/s' | 'ms' | 's' | 'MB' | '';

/** A goal of `design/performance.md`, for the value itself or for its ratio to the yardstick. */
export interface Goal {
  readonly of: 'value' | 'ratio';
  readonly is: 'at least' | 'at most';
  readonly limit: number;
}

export interface Figure {
  readonly name: string;
  readonly unit: Unit;
  /** One per round. */
  readonly values: readonly number[];
  /** Measured in the same rounds, in turn, in the same unit. */
  readonly beside: { readonly name: string; readonly values: readonly number[] } | null;
  readonly goal: Goal | null;
}

export function atLeast(of: Goal['of'], limit: number): Goal {
  return { of, is: 'at least', limit };
}

export function atMost(of: Goal['of'], limit: number): Goal {
  return { of, is: 'at most', limit };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median of the rounds' own ratios: what slows the machine for a while slows both sides of a round. */
export function ratioOf(figure: Figure): number | null {
  const { beside } = figure;
  if (!beside) return null;
  return median(figure.values.map((value, round) => value / (beside.values[round] ?? Number.NaN)));
}

/** Null where there is no goal. */
export function isMet(figure: Figure): boolean | null {
  const { goal } = figure;
  if (!goal) return null;
  const reached = goal.of === 'value' ? median(figure.values) : ratioOf(figure);
  if (reached === null) return null;
  return goal.is === 'at least' ? reached >= goal.limit : reached <= goal.limit;
}
