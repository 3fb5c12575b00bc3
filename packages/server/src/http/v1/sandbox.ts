/** The account's pairing with the sandbox line. */
import { z } from 'zod';
import { activate, deactivate, type PairingDeps, showSandbox } from '../../sandbox/pairing.ts';
import { type Route, route } from '../route.ts';

const nothing = z.object({});
const refusals = ['line_not_found', 'sandbox_requires_owner'] as const;

export function sandboxRoutes(deps: PairingDeps): Route[] {
  return [
    route({
      name: 'getSandbox',
      summary: 'Says how the account stands with the sandbox line.',
      description:
        '`missing`: there is neither a phone nor a code. `pending`: text the code from a phone to the sandbox line. `active`: that phone is paired.',
      answer: 'SandboxState',
      refusals,
      method: 'GET',
      path: '/v1/sandbox',
      scope: 'lines:read',
      handle: ({ caller }) => showSandbox(deps, caller.accountRef),
    }),
    route({
      name: 'activateSandbox',
      summary: 'Gives a code that pairs a phone with the account.',
      description:
        'The same code for the 24 hours in which it may be texted. A phone that is paired stays paired. The body may be left out.',
      answer: 'SandboxState',
      refusals,
      method: 'POST',
      path: '/v1/sandbox',
      scope: 'messages:write',
      isSecret: true,
      body: nothing,
      handle: ({ caller, ticket }) => activate(deps, caller.accountRef, ticket),
    }),
    route({
      name: 'deactivateSandbox',
      summary: 'Ends the pairing, and gives a new code.',
      description:
        'What was said with the phone is kept and not shown while it is not paired. The body may be left out.',
      answer: 'SandboxState',
      refusals,
      method: 'DELETE',
      path: '/v1/sandbox',
      scope: 'messages:write',
      body: nothing,
      handle: ({ caller }) => deactivate(deps, caller.accountRef),
    }),
  ];
}
