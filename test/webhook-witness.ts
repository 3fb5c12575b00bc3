/** A webhook's receiver that outlives the server: it verifies what comes with nothing of ours, and keeps who said what. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';

export interface WebhookWitness {
  readonly url: string;
  /** The ids of the deliveries of an event, by `<type> <message id>`: one id, as often as it was delivered. */
  readonly deliveries: ReadonlyMap<string, readonly string[]>;
  /** What was wrong with deliveries that came: nothing, if all is well. */
  readonly complaints: readonly string[];
  /** The names of the events that the webhook asked for. */
  readonly wants: ReadonlySet<string>;
  /** From the answer to the webhook's creation. */
  trust(secret: string, events: readonly string[]): void;
  close(): Promise<void>;
}

interface Body {
  readonly event: string;
  readonly data: { readonly id: string };
  readonly timestamp: number;
  readonly delivery_id: string;
}

export async function startWitness(): Promise<WebhookWitness> {
  const deliveries = new Map<string, string[]>();
  const complaints: string[] = [];
  const wants = new Set<string>();
  let secret = '';

  function witness(request: IncomingMessage, text: string): void {
    const body: Body = JSON.parse(text);
    const key = `${body.event} ${body.data.id}`;
    const complaint = complaintAbout(request, text, body, secret);
    if (complaint !== null) complaints.push(`${key}: ${complaint}`);
    const known = deliveries.get(key);
    if (known) known.push(body.delivery_id);
    else deliveries.set(key, [body.delivery_id]);
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      witness(request, Buffer.concat(chunks).toString('utf8'));
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The receiver has no port.');
  return {
    url: `http://127.0.0.1:${address.port}/hook`,
    deliveries,
    complaints,
    wants,
    trust(shown, events) {
      secret = shown;
      for (const name of events) wants.add(name);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function complaintAbout(request: IncomingMessage, text: string, body: Body, secret: string): string | null {
  const timestamp = String(request.headers['x-webhook-timestamp']);
  const signature = createHmac('sha256', secret).update(`${timestamp}.${text}`).digest('hex');
  if (request.headers['x-webhook-signature'] !== signature) return 'the signature is wrong';
  if (String(body.timestamp) !== timestamp) return "the body's timestamp is another than the header's";
  if (request.headers['x-webhook-delivery-id'] !== body.delivery_id) return "the body's delivery id is another";
  return null;
}
