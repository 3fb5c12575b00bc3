/** The first half of a row's order of checks: key present, key valid, rate limit, scope. Nothing of the body is read yet. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator, Caller } from '../access/authenticate.ts';
import type { FailedAttempts } from '../access/failed-attempts.ts';
import type { Allowance, RateLimits } from '../access/rate-limits.ts';
import { ApiError } from '../domain/errors.ts';
import type { Route } from './route.ts';

export interface AuthorizeDeps {
  readonly authenticator: Authenticator;
  readonly rateLimits: RateLimits;
  readonly failedAttempts: FailedAttempts;
}

/** Throws the refusal that applies; the answer, whatever it is, says what is left of the key's hour. */
export async function authorize(
  deps: AuthorizeDeps,
  row: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Caller> {
  const caller = await authenticate(deps, request);
  const asked = row.isCounted ? deps.rateLimits.spend(caller) : deps.rateLimits.look(caller);
  const allowance = asked instanceof Promise ? await asked : asked;
  showAllowance(reply, allowance);
  if (allowance.isOver) throw new ApiError('rate_limit_exceeded', { retryAfter: allowance.resetSeconds });
  if (!caller.scopes.has(row.scope)) {
    throw new ApiError('insufficient_scope', { message: `This API key lacks the scope '${row.scope}'.` });
  }
  return caller;
}

async function authenticate(
  { authenticator, failedAttempts }: AuthorizeDeps,
  request: FastifyRequest,
): Promise<Caller> {
  try {
    return await authenticator.authenticate(request.headers.authorization);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const wait = failedAttempts.note(request.ip);
    throw wait === null ? error : new ApiError('rate_limit_exceeded', { retryAfter: wait });
  }
}

function showAllowance(reply: FastifyReply, { limit, remaining, resetSeconds }: Allowance): void {
  reply.header('ratelimit-limit', limit);
  reply.header('ratelimit-remaining', remaining);
  reply.header('ratelimit-reset', resetSeconds);
}
