/** `/healthz`: the process answers. `/readyz`: it can do its work. */
import type { FastifyInstance } from 'fastify';

export interface HealthChecks {
  /** Rejects when the database does not answer. */
  readonly database: () => Promise<void>;
  readonly roles: readonly string[];
  /** True once the process is stopping. */
  readonly isStopping: () => boolean;
}

/** As rows, for what answers other methods. */
export const HEALTH_ROUTES = [
  { method: 'GET', path: '/healthz' },
  { method: 'GET', path: '/readyz' },
] as const;

export function addHealth(app: FastifyInstance, checks: HealthChecks): void {
  app.get('/healthz', async (request) => ({ status: 'ok', request_id: request.id }));
  app.get('/readyz', async (request, reply) => {
    const database = await checks.database().then(
      () => 'ok',
      () => 'unavailable',
    );
    const isReady = database === 'ok' && !checks.isStopping();
    reply.code(isReady ? 200 : 503);
    const status = checks.isStopping() ? 'stopping' : isReady ? 'ready' : 'not_ready';
    return { status, database, roles: checks.roles, request_id: request.id };
  });
}
