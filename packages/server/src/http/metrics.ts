/** `/metrics`: what was counted, for Prometheus. Served without a key, and only where it was turned on. */
import type { FastifyInstance } from 'fastify';

export const METRICS_ROUTE = { method: 'GET', path: '/metrics' } as const;

/** Answers that last as long as their client likes: their duration says nothing of the server. */
const LASTING: ReadonlySet<string> = new Set(['/v1/events']);
const UNMATCHED = 'unmatched';
const SECOND_MS = 1_000;

/** The metrics, as HTTP needs them. */
export interface MetricsPage {
  readonly contentType: string;
  text(): Promise<string>;
  requestEnded(request: { method: string; route: string; status: number; seconds: number }): void;
  /** A request was refused before anything was done for it. */
  requestRefused(): void;
}

export function addMetrics(app: FastifyInstance, page: MetricsPage): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? UNMATCHED : (request.routeOptions.url ?? UNMATCHED);
    if (LASTING.has(route)) return;
    const seconds = reply.elapsedTime / SECOND_MS;
    page.requestEnded({ method: request.method, route, status: reply.statusCode, seconds });
  });
  app.get(METRICS_ROUTE.path, async (_request, reply) => {
    const text = await page.text();
    return reply.type(page.contentType).send(text);
  });
}
