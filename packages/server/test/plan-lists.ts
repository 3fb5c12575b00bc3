/** The lists' queries for the checked-in plans: each condition that has an index, where few items meet it and where many do. */
import { findListedItems, isPeer } from '../src/store/listed-item-pages.ts';
import type { ItemFilter } from '../src/store/listed-item-query.ts';
import { readListedItems } from '../src/store/listed-item-rows.ts';
import type { PlanStep } from './plan-scene.ts';
import { STARTED_AT } from './stage.ts';

/** The account and line with a tenth of the seed's items. */
const REF = 2;
/** Of the sandbox's line, which all installations have, nobody else's items are seen. */
const ALL: ItemFilter = { accountRef: REF, lineRefs: null, shared: { lineRef: 1, peer: null } };
const PEER = { side: 'either', lineRef: null, peer: '+166614' } as const;
const FEW = { exactMax: 100_000, lookedAt: 100 };
const MANY = { exactMax: 10, lookedAt: 100 };

const CONDITIONS: Readonly<Record<string, Partial<ItemFilter>>> = {
  nothing: {},
  'a group, without a sandbox': { chatRef: 6, shared: null },
  'a group': { chatRef: 6 },
  groups: { isGroup: true },
  'a number': { parties: [PEER] },
  'a number and a line': { parties: [PEER], lineRef: REF },
  'a line': { lineRef: REF },
  'a service': { service: 'sms' },
  'a status': { status: 'ERROR' },
  'what is under way': { status: 'ACCEPTED' },
  'what goes out': { isOutbound: true },
  'what comes in': { isOutbound: false },
  'a time of creation': { createdFrom: STARTED_AT + 2_500 },
  'a time of change': { updatedFrom: STARTED_AT + 2_500 },
  'the lines of a key': { lineRefs: [REF, 1], shared: { lineRef: 1, peer: '+16661' } },
};

export const LIST_STEPS: Readonly<Record<string, PlanStep>> = {
  ...Object.fromEntries(
    Object.entries(CONDITIONS).map(([name, condition]): [string, PlanStep] => [`list by ${name}`, listBy(condition)]),
  ),
  'is there such a party': ({ engine }) => isPeer(engine, REF, PEER.peer),
  'read listed items': ({ engine }) => readListedItems(engine.readEach, [512, 1_024]),
};

function listBy(condition: Partial<ItemFilter>): PlanStep {
  return async ({ engine }) => {
    for (const bounds of [FEW, MANY]) {
      for (const order of ['created_at', 'updated_at'] as const) {
        const page = { order, direction: 'desc', limit: 100, offset: 0 } as const;
        await findListedItems(engine, { ...ALL, ...condition }, page, bounds);
      }
    }
  };
}
