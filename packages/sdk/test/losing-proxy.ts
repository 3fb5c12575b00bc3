/** Stands before the real server and loses answers: the request arrives, and its client never hears of it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LosingProxy {
  readonly url: string;
  /** The `Idempotency-Key` of each request that passed. */
  readonly keys: (string | undefined)[];
  /** Of the next so many requests the answers are lost. */
  lose(count: number): void;
  close(): Promise<void>;
}

export async function startLosingProxy(target: string): Promise<LosingProxy> {
  const keys: (string | undefined)[] = [];
  let left = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => void forward(Buffer.concat(chunks)));
    const forward = async (body: Buffer): Promise<void> => {
      const { method = 'GET', url = '/' } = request;
      const key = request.headers['idempotency-key'];
      keys.push(typeof key === 'string' ? key : undefined);
      const headers = Object.entries(request.headers).flatMap(([name, value]) =>
        typeof value === 'string' && !['host', 'connection', 'content-length'].includes(name) ? [[name, value]] : [],
      );
      const init = {
        method,
        headers: Object.fromEntries(headers),
        ...(body.length > 0 && { body: Uint8Array.from(body) }),
      };
      const answer = await fetch(`${target}${url}`, init);
      const text = await answer.text();
      left -= 1;
      if (left >= 0) request.socket.destroy();
      else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
    };
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    keys,
    lose(count) {
      left = count;
      keys.length = 0;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
