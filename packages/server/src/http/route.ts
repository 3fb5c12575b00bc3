/** Routes are rows: method, path, scope, schemas, handler. Access, validation and the documents read the same row. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Caller } from '../access/authenticate.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Scope } from '../domain/scopes.ts';
import type { ReceivedFile } from '../files/received-file.ts';
import type { Ticket } from '../store/ticket.ts';
import type { ResourceName } from '../wire/resources.ts';
import { type Dialect, dialectAt } from './dialect.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Fields = z.ZodObject;

/** What a handler is given. */
export interface Call<Query, Body> {
  readonly caller: Caller;
  readonly query: Query;
  readonly body: Body;
  readonly params: Readonly<Record<string, string>>;
  /** The file of a raw body or a form, taken in already; null where the row has none. */
  readonly upload: ReceivedFile | null;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** For the one write that the request makes: the answer, without its request id, is kept in the same commit. */
  ticket(answer: Readonly<Record<string, unknown>>): Ticket;
}

/** What a handler gives: the resource's own keys, to which the dialect may add the request's id. `handled`: it answered by itself. */
export type Result = Readonly<Record<string, unknown>> | typeof HANDLED;
export const HANDLED = Symbol('handled');

/** A resource by its name in `wire/resources.ts`, or a list of it. Null: the answer is no JSON. */
export type AnswerShape = ResourceName | `${ResourceName}[]` | null;

export interface Route {
  /** Of the operation, in the OpenAPI document and in whatever is made from it. */
  readonly name: string;
  /** What it does, in a sentence. */
  readonly summary: string;
  /** What a caller should know beyond the fields; empty where there is nothing. */
  readonly description: string;
  readonly answer: AnswerShape;
  /** The media type of an answer that is no JSON. */
  readonly answerType: string | null;
  /** Each part of the path that varies, in a sentence. */
  readonly params: Readonly<Record<string, string>>;
  /** Each header of the request that is its own, in a sentence. */
  readonly headers: Readonly<Record<string, string>>;
  /** The refusals of its own; those that follow from the rest of the row go without saying. */
  readonly refusals: readonly ErrorCode[];
  readonly method: Method;
  /** With `:name` for a part that varies. */
  readonly path: string;
  readonly scope: Scope;
  /** Scopes that open it as well: what a key with one of them sees is the handler's to say. */
  readonly alsoBy: readonly Scope[];
  readonly status: 200 | 201 | 202 | 302;
  readonly query: Fields | null;
  readonly body: Fields | null;
  /** Whether the body is a file's bytes as they are, of whatever type, and no JSON. */
  readonly rawBody: boolean;
  /** Whether the body is a form (multipart/form-data) with a file in it. */
  readonly hasForm: boolean;
  /** One of these fields of the body is required, however optional each of them is; the first one is named. */
  readonly anyOf: readonly string[];
  readonly dialect: Dialect;
  /** Whether it counts against the key's hour. */
  readonly isCounted: boolean;
  /** Whether the answer holds a secret: then it is kept encrypted for repeats. */
  readonly isSecret: boolean;
  /** Whether what a POST does is not one commit in the server's database: it is on the simulated network, or has several steps. */
  readonly isElsewhere: boolean;
  /** Whether HEAD is answered too; an answer that never ends has no head of its own. */
  readonly hasHead: boolean;
  /** False for what another's API has and this server has not: whoever may call it is told so, and no handler is called. */
  readonly isServed: boolean;
  /** Gets what its schemas have parsed. */
  handle(call: Call<unknown, unknown>): Promise<Result>;
}

/** What the operator and the phones do is not what a key may spend. */
const NOT_COUNTED = /^\/(?:admin|simulator)\//;

interface RouteInput<Query extends Fields | null, Body extends Fields | null> {
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly answer: AnswerShape;
  readonly answerType?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly refusals?: readonly ErrorCode[];
  readonly method: Method;
  readonly path: string;
  readonly scope: Scope;
  readonly alsoBy?: readonly Scope[];
  readonly status?: 200 | 201 | 202 | 302;
  readonly query?: Query;
  readonly body?: Body;
  readonly rawBody?: boolean;
  readonly hasForm?: boolean;
  readonly anyOf?: readonly string[];
  readonly isSecret?: boolean;
  readonly isElsewhere?: boolean;
  readonly hasHead?: boolean;
  readonly isServed?: boolean;
  handle(call: Call<Parsed<Query>, Parsed<Body>>): Promise<Result>;
}

type Parsed<S extends Fields | null> = S extends Fields ? z.infer<S> : null;

/** Ties a handler's types to its schemas. */
export function route<Query extends Fields | null = null, Body extends Fields | null = null>(
  input: RouteInput<Query, Body>,
): Route {
  return {
    name: input.name,
    summary: input.summary,
    description: input.description ?? '',
    answer: input.answer,
    answerType: input.answerType ?? null,
    params: input.params ?? {},
    headers: input.headers ?? {},
    refusals: input.refusals ?? [],
    method: input.method,
    path: input.path,
    scope: input.scope,
    alsoBy: input.alsoBy ?? [],
    status: input.status ?? 200,
    query: input.query ?? null,
    body: input.body ?? null,
    rawBody: input.rawBody ?? false,
    hasForm: input.hasForm ?? false,
    anyOf: input.anyOf ?? [],
    dialect: dialectAt(input.path),
    isCounted: !NOT_COUNTED.test(input.path),
    isSecret: input.isSecret ?? false,
    isElsewhere: input.isElsewhere ?? input.path.startsWith('/simulator/'),
    hasHead: input.hasHead ?? input.method === 'GET',
    isServed: input.isServed ?? true,
    // The dispatcher parses with these very schemas before it calls.
    handle: (call) => input.handle(call as Call<Parsed<Query>, Parsed<Body>>),
  };
}

export function list(data: readonly unknown[], nextCursor: string | null = null): Result {
  return { data, has_more: nextCursor !== null, next_cursor: nextCursor };
}
