/**
 * A POST is done once, however often a client repeats it: by its Idempotency-Key, or, where it gave none, when the first
 * answer was lost on the way. Section 11 of the v1 contract.
 */
import { hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../access/authenticate.ts';
import type { Clock } from '../clock.ts';
import { ApiError } from '../domain/errors.ts';
import { isSealed, type SecretBox } from '../domain/secret-box.ts';
import type { Engine } from '../store/database.ts';
import { completeNames, findKept, reserveName } from '../store/kept-answers.ts';
import type { Answer, AnswerBatch, AnsweredBefore, Guard, Ticket } from '../store/ticket.ts';
import type { Writer } from '../store/writer.ts';
import { canonicalJson } from './canonical-json.ts';
import { invalidValue } from './input.ts';
import { isDeeperThan } from './json-depth.ts';
import { pathOf } from './path-of.ts';
import type { Route } from './route.ts';

const HEADER = 'idempotency-key';
const NAME_MAX = 255;
/** Of a body that is walked to be compared: the walk must not run out of stack. */
const DEPTH_MAX = 128;
/** In UTF-16 units. */
const AS_IT_IS_MAX = 500;
const IN_PROGRESS_WAIT_MS = 5_000;
const IN_PROGRESS_POLL_MS = 100;

export interface RepeatDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly secrets: SecretBox;
}

/** Who a request is, among those that are the same. */
export interface Identity extends Omit<Guard, 'answer'> {
  readonly status: number;
  readonly isSecret: boolean;
}

/** What the write of a request takes along, and what it brings back. */
export interface Kept {
  guard: Guard | null;
  /** The answers of its commit that are on their way, this one among them. */
  answers: AnswerBatch | null;
}

/** Throws where the Idempotency-Key cannot be used. */
export function identify(deps: RepeatDeps, row: Route, caller: Caller, request: FastifyRequest): Identity {
  const given = nameOf(request);
  const route = `${row.method} ${pathOf(request.url)}`;
  const attempt = given === null ? row.dialect.attemptOf(request.headers) : null;
  const asked = () => hash('sha256', `${caller.keyRef} ${route} ${request.bodyText}`, 'base64url');
  // No client's own name begins with a space: what is round a header's value is no part of it.
  const name = attempt === null ? given : ` ${asked()}`;
  // No body says the same as one without fields.
  const fingerprint =
    given === null
      ? fingerprintOf(caller.keyRef, route, request.bodyText, row.isSecret)
      : hash('sha256', canonicalJson(comparable(request) ?? {}), 'base64url');
  const { status, isSecret } = row;
  const now = deps.clock.now();
  return {
    keyRef: caller.keyRef,
    route,
    name,
    fingerprint: attempt ?? fingerprint,
    attempt,
    id: request.id,
    now,
    status,
    isSecret,
  };
}

function comparable(request: FastifyRequest): unknown {
  // A body that was left out says what an empty object does.
  if (!isDeeperThan(DEPTH_MAX, request.bodyText)) return request.body ?? {};
  const message = `With an Idempotency-Key the body may be nested no deeper than ${DEPTH_MAX}.`;
  throw new ApiError('invalid_json', { message });
}

/**
 * A client that repeats without a key repeats its bytes; one with a key may have put its body together anew. Short ones
 * are their own fingerprint, for a hash would be a thirtieth of what a send costs.
 */
export function fingerprintOf(keyRef: number, route: string, bodyText: string, isSecret = false): string {
  const text = `${keyRef} ${route} ${bodyText}`;
  return isSecret || text.length > AS_IT_IS_MAX ? hash('sha256', text, 'base64url') : text;
}

/** Throws the answer, or the refusal, that the Idempotency-Key settles before anything else is looked at. */
export async function findAnswer(deps: RepeatDeps, identity: Identity): Promise<void> {
  const { name, attempt } = identity;
  const settled =
    name === null || attempt === 'first' ? null : await findKept(deps.engine, { ...identity, answer: null });
  if (settled) throw settled;
}

/** Does work whose effect is not in the server's database: its key is reserved meanwhile, its answer kept after it. */
export async function doElsewhere(
  deps: RepeatDeps,
  identity: Identity,
  work: () => Promise<string | null>,
): Promise<string | null> {
  if (identity.name === null) return work();
  await reserve(deps, { ...identity, answer: null });
  let answer: Answer | null = null;
  try {
    const text = await work();
    if (text !== null) answer = guardOf(deps, identity, text).answer;
    return text;
  } finally {
    await deps.writer.write(completeNames, { ...identity, answer });
  }
}

/** The text of an answer that is given again. */
export function textOf(deps: RepeatDeps, identity: Identity, { answer }: AnsweredBefore): string {
  return isSealed(answer.body) ? deps.secrets.open(answer.body, ownerOf(identity)) : answer.body;
}

export function guardOf(deps: RepeatDeps, identity: Identity, text: string): Guard {
  const { keyRef, route, name, fingerprint, attempt, id, now, status, isSecret } = identity;
  const body = isSecret ? deps.secrets.seal(text, ownerOf(identity)) : text;
  return { keyRef, route, name, fingerprint, attempt, id, now, answer: { status, body } };
}

async function reserve(deps: RepeatDeps, guard: Guard): Promise<void> {
  const ticket: Ticket = { guard, begun: () => undefined, committed: () => undefined };
  const giveUpAt = deps.clock.monotonic() + IN_PROGRESS_WAIT_MS;
  for (;;) {
    try {
      await deps.writer.write(reserveName, null, ticket);
      return;
    } catch (error) {
      const isUnderWay = error instanceof ApiError && error.code === 'idempotency_key_in_progress';
      if (!isUnderWay || deps.clock.monotonic() >= giveUpAt) throw error;
    }
    await new Promise<void>((resolve) => void deps.clock.after(IN_PROGRESS_POLL_MS, resolve));
  }
}

function nameOf(request: FastifyRequest): string | null {
  const given = request.headers[HEADER];
  const name = Array.isArray(given) ? given.join(', ') : given;
  if (name === undefined || name === '') return null;
  if (name.length > NAME_MAX) throw invalidValue('Idempotency-Key', `must have at most ${NAME_MAX} characters`);
  return name;
}

function ownerOf({ keyRef, route }: Identity): string {
  return `answer ${keyRef} ${route}`;
}
