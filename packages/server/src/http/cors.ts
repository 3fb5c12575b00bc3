/** Browsers elsewhere may call `/v1` with a key, never with cookies. Everything else is for pages of this server alone. */
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

const METHODS = ['GET', 'POST', 'DELETE', 'OPTIONS'];
const ALLOWED_HEADERS = ['Authorization', 'Content-Type', 'X-Filename', 'Idempotency-Key', 'Last-Event-ID'];
const EXPOSED_HEADERS = [
  'X-Request-Id',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Idempotent-Replayed',
  // Without it a page that is cut off before its first event could not say where it was.
  'X-Event-Cursor',
];
const PREFLIGHT_SECONDS = 86_400;

/** For the routes that are registered on the same instance. */
export async function allowOtherOrigins(app: FastifyInstance): Promise<void> {
  await app.register(cors, {
    origin: '*',
    methods: METHODS,
    allowedHeaders: ALLOWED_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    // A preflight without the headers of one is answered like one: no route of ours is behind OPTIONS.
    strictPreflight: false,
  });
}
