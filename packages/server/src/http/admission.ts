/**
 * The first thing that happens to a request: whether the server takes it at all. Refusing costs nothing, so that an
 * overloaded server stays able to refuse: no body is read, no key is checked, no database is asked.
 */
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../domain/errors.ts';
import { HEALTH_ROUTES } from './health.ts';
import type { HttpLimits } from './http-limits.ts';

const RETRY_AFTER_SECONDS = 1;
const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Whoever asks how the server does is always answered. */
const ALWAYS_ADMITTED: ReadonlySet<string> = new Set([...HEALTH_ROUTES.map((row) => row.path), '/metrics']);
/** Answers that last as long as their client stays: they wait for events, not for the server. */
const LASTING_ROUTES: ReadonlySet<string> = new Set(['/v1/events']);

export interface AdmissionDeps {
  readonly limits: HttpLimits;
  /** How many writes wait for a commit. */
  readonly queuedWrites: () => number;
  /** True once the process is stopping. */
  readonly isStopping: () => boolean;
}

export function admitRequests(app: FastifyInstance, { limits, queuedWrites, isStopping }: AdmissionDeps): void {
  let inFlight = 0;
  let writesInFlight = 0;

  function refuseWhenFull(isWrite: boolean): void {
    if (isStopping()) throw overloaded('The server is stopping. Try again shortly.');
    const isFull = inFlight >= limits.inFlightMax;
    const writesAreFull = writesInFlight >= limits.writesInFlightMax || queuedWrites() >= limits.writesQueuedMax;
    if (isFull || (isWrite && writesAreFull))
      throw overloaded('Too many requests wait for an answer. Try again shortly.');
  }

  app.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url ?? '';
    if (ALWAYS_ADMITTED.has(route)) return done();
    const isWrite = !READING_METHODS.has(request.method);
    try {
      refuseWhenFull(isWrite);
      refuseBadHead(request.raw.httpVersion, request.headers.host);
      if (request.url.length > limits.urlMaxBytes) throw new ApiError('uri_too_long');
    } catch (error) {
      return done(error instanceof Error ? error : new Error(String(error)));
    }
    if (LASTING_ROUTES.has(route)) return done();
    inFlight++;
    if (isWrite) writesInFlight++;
    reply.raw.once('close', () => {
      inFlight--;
      if (isWrite) writesInFlight--;
    });
    done();
  });

  // Whoever is answered while the server stops is told not to ask again on the same connection.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isStopping()) reply.header('connection', 'close');
    done(null, payload);
  });
}

/** Node would refuse a missing Host by itself, without an envelope. */
function refuseBadHead(version: string, host: string | undefined): void {
  if (version === '1.1' && host === undefined) {
    throw new ApiError('bad_request', { message: 'A request over HTTP/1.1 needs a Host header.' });
  }
}

function overloaded(message: string): ApiError {
  return new ApiError('overloaded', { message, retryAfter: RETRY_AFTER_SECONDS });
}
