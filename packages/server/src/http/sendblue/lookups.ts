/** What a number is reached by, in the manner of Sendblue: as far as this server has seen it. */
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import { usableLineRefs, usableLines } from '../../lines/resolve.ts';
import { findListedItems } from '../../store/listed-item-pages.ts';
import { readListedItems } from '../../store/listed-item-rows.ts';
import { serviceName } from '../../wire/sendblue.ts';
import { type Route, route } from '../route.ts';
import { handleOf, numberField } from './fields.ts';
import { type ShownDeps, sharedOf } from './shown.ts';

/** Of the newest messages with a number so many are asked: one that is still queued does not know its service yet. */
const ITEMS_MAX = 20;

export function sendblueLookupRoutes(deps: ShownDeps): Route[] {
  return [
    route({
      name: 'sendblueLookUpNumber',
      summary: 'Says by which service a number is reached.',
      description:
        "The service of the newest message that came from the number or was sent to it, on the lines that the key may use. Nobody is asked about a number that was never seen: it is answered as what the key's lines send by, `SMS` where all of them are SMS lines.",
      answer: 'SendblueService',
      method: 'GET',
      path: '/api/evaluate-service',
      scope: 'messages:read',
      query: z.object({ number: numberField }),
      async handle({ caller, query }) {
        const number = handleOf(query.number, 'number');
        return { number, service: (await seenService(deps, caller, number)) ?? usualService(deps, caller) };
      },
    }),
  ];
}

async function seenService(deps: ShownDeps, caller: Caller, peer: string): Promise<string | null> {
  const { accountRef } = caller;
  const filter = {
    accountRef,
    lineRefs: usableLineRefs(deps.registry, caller),
    shared: await sharedOf(deps, accountRef),
    parties: [{ side: 'either', lineRef: null, peer }],
  } as const;
  const page = { order: 'created_at', direction: 'desc', limit: ITEMS_MAX, offset: 0 } as const;
  const { refs } = await findListedItems(deps.engine, filter, page);
  const items = await readListedItems(deps.engine.readEach, refs);
  const seen = items.find(({ messageId }) => messageId !== null);
  return seen ? serviceName(seen.service) : null;
}

/** The line that all share reaches one phone alone, and says nothing of others. */
function usualService({ registry }: ShownDeps, caller: Caller): string {
  const lines = usableLines(registry, caller).filter(({ isSandbox }) => !isSandbox);
  const isGreen = lines.length > 0 && lines.every(({ service }) => service === 'sms');
  return serviceName(isGreen ? 'sms' : 'imessage');
}
