/** `/admin/v1/keys`: the API keys of the caller's account. A key itself is shown once, when it is made. */
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import { type IssuedKey, type IssueKeyDeps, issueKey } from '../../access/issue-key.ts';
import { RATE_LIMIT_MAX } from '../../domain/api-key.ts';
import { ApiError } from '../../domain/errors.ts';
import type { Line } from '../../domain/line.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { resolveOwnLine } from '../../lines/resolve.ts';
import { findKey, pageOfKeys, revokeKeys } from '../../store/keys.ts';
import { keyBody } from '../../wire/admin.ts';
import { cursorField, limitField, nameField, textField } from '../input.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { list, type Route, route } from '../route.ts';

const NAME_MAX = 100;
const SCOPES_MAX = 100;
const LINES_MAX = 1_000;

export interface KeyDeps extends IssueKeyDeps {
  readonly registry: LineRegistry;
}

export function keyRoutes(deps: KeyDeps): Route[] {
  return [
    route({
      name: 'listKeys',
      summary: 'Lists the API keys of the account, the newest first, revoked ones too.',
      answer: 'ApiKey[]',
      method: 'GET',
      path: '/admin/v1/keys',
      scope: 'admin',
      query: z.object({ limit: limitField(), cursor: cursorField }),
      async handle({ caller, query }) {
        const name = `keys ${caller.accountRef}`;
        const place = query.cursor === undefined ? [] : decodeCursor(name, query.cursor, 1);
        const [before = Number.MAX_SAFE_INTEGER] = place;
        const rows = await pageOfKeys(deps.engine, caller.accountRef, before, query.limit + 1);
        const page = rows.slice(0, query.limit);
        const last = rows.length > page.length ? page.at(-1) : undefined;
        return list(page.map(keyBody), last ? encodeCursor(name, [last.ref]) : null);
      },
    }),
    createRoute(deps),
    route({
      name: 'getKey',
      summary: 'Gives one API key.',
      answer: 'ApiKey',
      params: { id: 'The key: its `key_` id.' },
      refusals: ['key_not_found'],
      method: 'GET',
      path: '/admin/v1/keys/:id',
      scope: 'admin',
      async handle({ caller, params }) {
        const key = await findKey(deps.engine, caller.accountRef, keyId(params));
        if (!key) throw keyNotFound();
        return keyBody(key);
      },
    }),
    route({
      name: 'revokeKey',
      summary: 'Revokes an API key, in every process within a second.',
      description: 'Revoking it again changes nothing.',
      answer: 'DeletedResponse',
      params: { id: 'The key: its `key_` id.' },
      refusals: ['key_not_found'],
      method: 'DELETE',
      path: '/admin/v1/keys/:id',
      scope: 'admin',
      async handle({ caller, params }) {
        const id = keyId(params);
        const item = { accountRef: caller.accountRef, id, now: deps.clock.now() };
        if (!(await deps.writer.write(revokeKeys, item))) throw keyNotFound();
        return { id, deleted: true };
      },
    }),
  ];
}

function createRoute(deps: KeyDeps): Route {
  return route({
    name: 'createKey',
    summary: 'Makes an API key.',
    description:
      'What opens the door is shown this once. Nobody makes a key that is wider than their own: neither in scopes nor in lines, expiry or rate.',
    answer: 'ApiKeyWithSecret',
    refusals: ['line_not_found', 'line_not_accessible'],
    method: 'POST',
    path: '/admin/v1/keys',
    scope: 'admin',
    status: 201,
    isSecret: true,
    body: z.object({
      name: textField(NAME_MAX).min(1).describe('What to call it.'),
      scopes: z
        .array(z.string())
        .max(SCOPES_MAX)
        .optional()
        .describe("What it may do. Left out: the API's scopes that the maker has."),
      line_ids: z
        .array(nameField)
        .max(LINES_MAX)
        .optional()
        .describe('The lines to limit it to: `ln_` ids or handles. Left out: none, all lines may be used.'),
      expires_at: z
        .number()
        .int()
        .optional()
        .describe("When it stops working, in the future. Unix milliseconds. Left out: when the maker's does."),
      rate_limit_per_hour: z
        .number()
        .int()
        .min(1)
        .max(RATE_LIMIT_MAX)
        .optional()
        .describe('How many requests an hour it may make. Left out: as many as is usual here.'),
    }),
    async handle({ caller, body, ticket }) {
      const request = {
        name: body.name,
        scopes: body.scopes,
        lines: body.line_ids === undefined ? null : await linesOf(deps.registry, caller, body.line_ids),
        expiresAt: body.expires_at,
        rateLimitPerHour: body.rate_limit_per_hour,
      };
      return issuedBody(await issueKey(deps, caller, request, (issued) => ticket(issuedBody(issued))));
    },
  });
}

function issuedBody({ record, key }: IssuedKey) {
  return { ...keyBody(record), key };
}

async function linesOf(registry: LineRegistry, caller: Caller, names: readonly string[]): Promise<readonly Line[]> {
  const lines = new Map<number, Line>();
  for (const name of names) {
    const line = await resolveOwnLine(registry, caller, name, 'line_ids');
    lines.set(line.ref, line);
  }
  return [...lines.values()];
}

/** No database can look for a NUL, and no key has one in its id. */
function keyId(params: Readonly<Record<string, string>>): string {
  const id = params['id'] ?? '';
  if (id.includes('\0')) throw keyNotFound();
  return id;
}

function keyNotFound(): ApiError {
  return new ApiError('key_not_found', { param: 'id' });
}
