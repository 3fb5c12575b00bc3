/** Fastify taking the same sends: the same path, key, body and answer; what becomes of a send is the caller's. */
import { createHash, randomUUID } from 'node:crypto';
import fastify, { type FastifyInstance } from 'fastify';

const CREATED = 201;
const UNAUTHENTICATED = 401;

export interface Send {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

const text = { type: 'string' } as const;
const ROUTE_SCHEMA = {
  body: {
    type: 'object',
    required: ['from', 'to', 'text'],
    properties: { from: text, to: text, text: { ...text, maxLength: 20_000 } },
  },
  response: {
    201: { type: 'object', properties: { id: text, status: text, request_id: text } },
    401: { type: 'object', properties: { error: text } },
  },
} as const;

/** Listens on a free port and says so in one line of output. `store` keeps a send under the id that it is given. */
export async function serveSends(store: (id: string, send: Send) => void): Promise<FastifyInstance> {
  const keys = new Map([[sha256(process.env['BENCH_KEY'] ?? ''), { account: 1 }]]);
  const app = fastify({ logger: false, genReqId: () => `req_${randomUUID()}` });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    const key = request.headers.authorization?.slice('Bearer '.length) ?? '';
    if (!keys.has(sha256(key))) return reply.code(UNAUTHENTICATED).send({ error: 'unknown key' });
  });
  app.post<{ Body: Send }>('/v1/messages', { schema: ROUTE_SCHEMA }, async (request, reply) => {
    const id = `obx_${randomUUID()}`;
    store(id, request.body);
    reply.code(CREATED);
    return { id, status: 'pending', request_id: request.id };
  });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  console.log(`listens on ${address}`);
  return app;
}

function sha256(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
