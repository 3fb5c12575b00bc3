/** The webhooks of an account: lists of addresses, given back as they were given. Section 3 of the dialect's contract. */
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import { ApiError } from '../../domain/errors.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { resolveLine } from '../../lines/resolve.ts';
import type { NetworkGuard } from '../../network/guard.ts';
import { ACCOUNT_WEBHOOKS_MAX, type AccountWebhookType, type ListResult } from '../../store/account-webhooks.ts';
import {
  type AccountWebhookDeps,
  type AccountWebhookEntry,
  appendEntries,
  readEntries,
  refuseEntry,
  refuseSecret,
  removeEntries,
  replaceEntries,
} from '../../webhooks/account-webhooks.ts';
import { invalidValue, nameField, textField } from '../input.ts';
import { type Route, route } from '../route.ts';
import { handleOf } from './fields.ts';

export interface SendblueWebhookDeps extends AccountWebhookDeps {
  readonly guard: NetworkGuard;
  readonly registry: LineRegistry;
}

const TEXT_MAX = 4_096;
const TYPES = ['receive', 'outbound'] as const satisfies readonly AccountWebhookType[];
const LIMITED = 'Webhooks of the account hear all of its lines, and this API key is limited to some.';

const addressField = textField(TEXT_MAX);
const secretField = textField(TEXT_MAX);
const entryField = z.union([
  addressField,
  z.object({
    url: addressField.describe('The address.'),
    secret: secretField.nullish().describe('Goes along as it is, in `sb-signing-secret`.'),
    sendblue_numbers: z.array(nameField).nullish().describe('Only of these lines. Left out: of all.'),
  }),
]);
type Given = z.infer<typeof entryField>;
const entriesField = z.array(entryField).max(ACCOUNT_WEBHOOKS_MAX, `has at most ${ACCOUNT_WEBHOOKS_MAX} entries`);
/** What Sendblue tells of besides is nothing that happens here. */
const otherEntries = z
  .array(z.unknown())
  .max(0, 'has types that this server does not know')
  .nullish()
  .describe('Not known here: it has to be empty.');

const globalSecretField = secretField.optional().describe('For entries that have no secret of their own.');
const typeField = z.enum(TYPES).default('receive').describe('What they hear of: inbound messages, or own ones.');

const listsField = z
  .object({
    receive: entriesField.nullish().describe('They hear of inbound messages.'),
    outbound: entriesField.nullish().describe('They hear of own messages.'),
    globalSecret: secretField.nullish().describe('For entries that have no secret of their own.'),
    call_log: otherEntries,
    contact_created: otherEntries,
    contact_profile: otherEntries,
    inbound_call: otherEntries,
    line_assigned: otherEntries,
    line_blocked: otherEntries,
    typing_indicator: otherEntries,
  })
  .describe('The lists by their types, and `globalSecret`. A type that is left out is empty then.');

/** The address by which it is known, and the other one that clients use. */
const PATHS = ['/api/account/webhooks', '/api/v2/account/webhooks'] as const;

export function sendblueWebhookRoutes(deps: SendblueWebhookDeps): Route[] {
  return PATHS.flatMap((path, index) => routesAt(deps, path, index === 0 ? '' : 'Alias'));
}

function routesAt(deps: SendblueWebhookDeps, path: string, suffix: string): Route[] {
  return [
    route({
      name: `sendblueListWebhooks${suffix}`,
      summary: 'Lists the webhooks of the account, as they were given.',
      answer: 'SendblueWebhooks',
      refusals: ['line_not_accessible'],
      method: 'GET',
      path,
      scope: 'webhooks:read',
      handle: async ({ caller }) => ({ status: 'OK', webhooks: await listsOf(deps, requireAll(caller)) }),
    }),
    route({
      name: `sendblueAddWebhooks${suffix}`,
      summary: 'Adds webhooks of one type to those that are there.',
      description: `An account has at most ${ACCOUNT_WEBHOOKS_MAX}.`,
      answer: 'SendblueWebhooksSet',
      refusals: ['line_not_found', 'line_not_accessible'],
      method: 'POST',
      path,
      scope: 'webhooks:write',
      body: z.object({
        webhooks: entriesField.describe('An address each, or `{url, secret?, sendblue_numbers?}`.'),
        type: typeField,
        globalSecret: globalSecretField,
      }),
      isSecret: true,
      isElsewhere: true,
      async handle({ caller, body }) {
        const entries = await entriesOf(deps, requireAll(caller), body.type, body.webhooks);
        const { globalSecret } = body;
        requireSecret(globalSecret);
        requireRoom(await appendEntries(deps, caller, { entries, globalSecret }));
        return { status: 'OK', message: 'The webhooks were added.', webhooks: await listsOf(deps, caller) };
      },
    }),
    ...changesAt(deps, path, suffix),
  ];
}

function changesAt(deps: SendblueWebhookDeps, path: string, suffix: string): Route[] {
  return [
    route({
      name: `sendblueReplaceWebhooks${suffix}`,
      summary: 'Puts these webhooks in the place of all that are there.',
      answer: 'SendblueWebhooksSet',
      refusals: ['line_not_found', 'line_not_accessible'],
      method: 'PUT',
      path,
      scope: 'webhooks:write',
      body: z.object({ webhooks: listsField }),
      isSecret: true,
      async handle({ caller, body }) {
        requireAll(caller);
        const lists = await Promise.all(TYPES.map((type) => entriesOf(deps, caller, type, body.webhooks[type] ?? [])));
        const globalSecret = body.webhooks.globalSecret ?? null;
        requireSecret(globalSecret);
        requireRoom(await replaceEntries(deps, caller, { entries: lists.flat(), globalSecret }));
        return { status: 'OK', message: 'The webhooks were replaced.', webhooks: await listsOf(deps, caller) };
      },
    }),
    route({
      name: `sendblueDeleteWebhooks${suffix}`,
      summary: 'Deletes webhooks by their addresses, of one type or of both.',
      answer: 'SendblueDone',
      refusals: ['line_not_accessible'],
      method: 'DELETE',
      path,
      scope: 'webhooks:write',
      body: z.object({
        webhooks: z.array(addressField).describe('The addresses.'),
        type: z.enum(TYPES).optional().describe('Only of this type. Left out: of both.'),
      }),
      async handle({ caller, body }) {
        const gone = await removeEntries(deps, requireAll(caller), body.webhooks, body.type ?? null);
        return { status: 'OK', message: gone === 1 ? 'One webhook was deleted.' : `${gone} webhooks were deleted.` };
      },
    }),
  ];
}

/** What hears of all lines is not for a key that may not. */
function requireAll(caller: Caller): Caller {
  if (caller.lineRefs === null) return caller;
  throw new ApiError('line_not_accessible', { message: LIMITED });
}

function requireRoom(result: ListResult): void {
  if (result === 'too_many') throw invalidValue('webhooks', `would be more than ${ACCOUNT_WEBHOOKS_MAX} in all`);
}

function requireSecret(secret: string | null | undefined): void {
  const refusal = refuseSecret(secret ?? null);
  if (refusal !== null) throw invalidValue('globalSecret', refusal);
}

async function entriesOf(
  deps: SendblueWebhookDeps,
  caller: Caller,
  type: AccountWebhookType,
  given: readonly Given[],
): Promise<AccountWebhookEntry[]> {
  const entries = given.map((one): AccountWebhookEntry => {
    if (typeof one === 'string') return { type, url: one, secret: null, numbers: null, isBare: true };
    const { url, secret = null, sendblue_numbers: numbers = null } = one;
    return { type, url, secret, numbers, isBare: false };
  });
  for (const entry of entries) {
    const refusal = await refuseEntry(deps.guard, entry);
    if (refusal !== null) throw invalidValue('webhooks', refusal);
  }
  return Promise.all(entries.map((entry) => withHandles(deps, caller, entry)));
}

async function withHandles(
  { registry }: SendblueWebhookDeps,
  caller: Caller,
  entry: AccountWebhookEntry,
): Promise<AccountWebhookEntry> {
  if (entry.numbers === null) return entry;
  const handles = entry.numbers.map((number) => handleOf(number, 'sendblue_numbers'));
  for (const handle of handles) await resolveLine(registry, caller, handle, 'sendblue_numbers');
  return { ...entry, numbers: handles };
}

async function listsOf(deps: SendblueWebhookDeps, caller: Caller) {
  const { entries, globalSecret } = await readEntries(deps, caller);
  const ofType = (type: AccountWebhookType) => entries.filter((entry) => entry.type === type).map(entryBody);
  return {
    receive: ofType('receive'),
    outbound: ofType('outbound'),
    ...(globalSecret !== null && { globalSecret }),
  };
}

function entryBody({ url, secret, numbers, isBare }: AccountWebhookEntry) {
  if (isBare) return url;
  return { url, ...(secret !== null && { secret }), ...(numbers !== null && { sendblue_numbers: numbers }) };
}
