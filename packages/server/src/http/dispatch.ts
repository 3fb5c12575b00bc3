/** One row's request, from the key to the answer, in the order of checks that the contract names. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../access/authenticate.ts';
import { type AuthorizeDeps, authorize } from './authorize.ts';
import { type InputParser, inputParser } from './input.ts';
import { HANDLED, type Route } from './route.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once the key has been checked. */
    caller: Caller | null;
  }
}

/** `prefix`: the part of the row's path that the instance has already. */
export function addRoute(app: FastifyInstance, deps: AuthorizeDeps, row: Route, prefix = ''): void {
  const parse: Parsers = {
    query: row.query && inputParser(row.query),
    body: row.body && inputParser(row.body, row.anyOf),
  };
  app.route({
    method: row.method,
    url: row.path.slice(prefix.length),
    exposeHeadRoute: row.hasHead,
    // Before the body is read.
    onRequest: async (request, reply) => {
      request.caller = await authorize(deps, row, request, reply);
    },
    handler: (request, reply) => answer(row, parse, request, reply),
  });
}

interface Parsers {
  readonly query: InputParser | null;
  readonly body: InputParser | null;
}

async function answer(row: Route, parse: Parsers, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { caller } = request;
  if (!caller) throw new Error('A request reached its handler without a caller.');
  const query = parse.query ? parse.query(request.query) : null;
  const body = parse.body ? parse.body(request.body) : null;
  const params = request.params as Readonly<Record<string, string>>;
  const result = await row.handle({ caller, query, body, params, request, reply });
  if (result === HANDLED) return reply;
  reply.code(row.status);
  return { ...result, request_id: request.id };
}
