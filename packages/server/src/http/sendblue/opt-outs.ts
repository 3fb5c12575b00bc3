/** Contacts that want no more messages, in the manner of Sendblue. What follows from it is the outbox' business. */
import { z } from 'zod';
import { type OptOutDeps, optOut } from '../../outbox/opt-out.ts';
import { type Route, route } from '../route.ts';
import { handleOf, numberField } from './fields.ts';

export function sendblueOptOutRoutes(deps: OptOutDeps): Route[] {
  return [
    route({
      name: 'sendblueOptOut',
      summary: 'Notes that a contact wants no more messages of the account, or wants them again.',
      description: 'It holds on every line of the account and in every API. What was accepted before is still sent.',
      answer: 'SendblueOptOut',
      method: 'POST',
      path: '/api/v2/contacts/opt-out',
      scope: 'messages:write',
      body: z.object({
        number: numberField,
        opted_out: z
          .union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])
          .default(true)
          .meta({ type: 'boolean', description: '`false` takes it back. Left out: `true`.' }),
      }),
      async handle({ caller, body, ticket }) {
        const handle = handleOf(body.number, 'number');
        const optedOut = body.opted_out;
        const answer = { status: 'OK', number: handle, opted_out: optedOut };
        await optOut(deps, { accountRef: caller.accountRef, handle, optedOut, ticket: ticket(answer) });
        return answer;
      },
    }),
  ];
}
