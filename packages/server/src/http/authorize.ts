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

/**
 * Throws, or rejects with, the refusal that applies; the answer, whatever it is, says what is left of the key's hour.
 * At once where nothing has to be looked up, as for nearly every request: promises would cost more than the checks.
 */
export function authorize(
  deps: AuthorizeDeps,
  row: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Caller | Promise<Caller> {
  const admit = (caller: Caller) => spend(deps, row, caller, reply);
  const caller = authenticate(deps, row, request);
  return caller instanceof Promise ? caller.then(admit) : admit(caller);
}

function spend(deps: AuthorizeDeps, row: Route, caller: Caller, reply: FastifyReply): Caller | Promise<Caller> {
  const admit = (allowance: Allowance) => {
    showAllowance(reply, allowance);
    if (allowance.isOver) throw new ApiError('rate_limit_exceeded', { retryAfter: allowance.resetSeconds });
    if (caller.scopes.has(row.scope) || row.alsoBy.some((scope) => caller.scopes.has(scope))) return caller;
    throw new ApiError('insufficient_scope', { message: `This API key lacks the scope '${row.scope}'.` });
  };
  const asked = row.isCounted ? deps.rateLimits.spend(caller) : deps.rateLimits.look(caller);
  return asked instanceof Promise ? asked.then(admit) : admit(asked);
}

function authenticate(deps: AuthorizeDeps, { dialect }: Route, request: FastifyRequest): Caller | Promise<Caller> {
  const refuse = (error: unknown): never => {
    throw refusalOf(deps, request, error);
  };
  try {
    const { authorization, keyId } = dialect.credentialsOf(request.headers);
    const admit = (caller: Caller) => requireId(caller, keyId);
    const caller = deps.authenticator.authenticate(authorization);
    return caller instanceof Promise ? caller.then(admit).catch(refuse) : admit(caller);
  } catch (error) {
    return refuse(error);
  }
}

function requireId(caller: Caller, keyId: string | null): Caller {
  if (keyId === null || keyId === caller.keyId) return caller;
  throw new ApiError('invalid_api_key', { message: 'This is not the id of that API key.' });
}

/** Who guesses at keys is told to wait. */
function refusalOf({ failedAttempts }: AuthorizeDeps, request: FastifyRequest, error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  const wait = failedAttempts.note(request.ip);
  return wait === null ? error : new ApiError('rate_limit_exceeded', { retryAfter: wait });
}

function showAllowance(reply: FastifyReply, { limit, remaining, resetSeconds }: Allowance): void {
  reply.header('ratelimit-limit', limit);
  reply.header('ratelimit-remaining', remaining);
  reply.header('ratelimit-reset', resetSeconds);
}
