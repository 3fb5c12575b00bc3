/** A server that answers as a test tells it to: for what a real one does only in bad hours. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answering = (response: ServerResponse, asked: Asked, count: number) => void;

export interface ScriptedServer {
  readonly url: string;
  readonly asked: Asked[];
  behave(answering: Answering): void;
  close(): Promise<void>;
}

export const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answering =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

export const refusal = (status: number, code: string, headers: Readonly<Record<string, string>> = {}): Answering =>
  json(status, { error: { type: 'x', code, message: `It is ${code}.` }, request_id: 'req_1' }, headers);

export async function startScriptedServer(): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  let answering: Answering = refusal(404, 'route_not_found');
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') };
      asked.push(one);
      answering(response, one, asked.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    behave(next) {
      asked.length = 0;
      answering = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
