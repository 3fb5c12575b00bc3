/** `/openapi.json` and `/docs`: what the API is, for programs and for people. Without a key, and for no other origin. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export interface Page {
  readonly contentType: string;
  readonly body: Buffer;
  readonly etag: string;
  /** What the page may load, where a browser shows it. */
  readonly policy: string;
}

/** Made when they are first asked for: a start must not pay for them. */
export interface Documents {
  openApi(): Promise<Page>;
  docs(): Promise<Page>;
}

/** As rows, for what answers other methods. */
export const DOCUMENT_ROUTES = [
  { method: 'GET', path: '/openapi.json' },
  { method: 'GET', path: '/docs' },
] as const;

export function addDocuments(app: FastifyInstance, documents: Documents): void {
  app.get('/openapi.json', async (request, reply) => sendPage(request, reply, await documents.openApi()));
  app.get('/docs', async (request, reply) => sendPage(request, reply, await documents.docs()));
}

function sendPage(request: FastifyRequest, reply: FastifyReply, page: Page): FastifyReply {
  reply.headers({
    etag: page.etag,
    'cache-control': 'no-cache',
    'content-security-policy': page.policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  if (isKnown(request.headers['if-none-match'], page.etag)) return reply.code(304).send();
  return reply.type(page.contentType).send(page.body);
}

/** A proxy may have made the tag a weak one. */
function isKnown(given: string | undefined, etag: string): boolean {
  const tags = (given ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
