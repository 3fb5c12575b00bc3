/** A script for the fake Mac: acts at their times, of which a later one may name what an earlier one made. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MacActs } from './acts.ts';

/** An act as data. A string `@name` in it stands for the GUID, and `@name.chat` for the chat, of the step of that name. */
export type Step = {
  readonly [Name in keyof MacActs]: {
    /** Milliseconds from the beginning. */
    readonly at: number;
    readonly name: Name;
    readonly act: Parameters<MacActs[Name]>[0];
    readonly as?: string;
  };
}[keyof MacActs];

/** Resolves when the last step was taken; what the steps have put on the schedule may still be to come. */
export async function playSteps(acts: MacActs, steps: readonly Step[]): Promise<void> {
  const names = new Map<string, string>();
  const begun = performance.now();
  for (const step of [...steps].sort((left, right) => left.at - right.at)) {
    const wait = step.at - (performance.now() - begun);
    if (wait > 0) await sleep(wait);
    // The step's type has paired the name with its act.
    const act = acts[step.name] as (act: unknown) => unknown;
    const made = act(fillIn(step.act, names));
    if (step.as !== undefined) remember(names, step.as, made);
  }
}

function remember(names: Map<string, string>, name: string, made: unknown): void {
  if (typeof made !== 'object' || made === null) return;
  if ('guid' in made) names.set(`@${name}`, String(made.guid));
  if ('chat' in made) names.set(`@${name}.chat`, String(made.chat));
}

function fillIn(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return names.get(value) ?? value;
  if (Array.isArray(value)) return value.map((one) => fillIn(one, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillIn(one, names)]));
}
