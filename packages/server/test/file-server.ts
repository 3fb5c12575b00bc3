/** A server of files elsewhere, which answers each path as a test says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Page = (response: ServerResponse, request: IncomingMessage) => void;

export interface FileServer {
  readonly address: string;
  /** The paths that were asked for, in order. */
  readonly asked: readonly string[];
  /** Gives the address of the page. */
  put(path: string, page: Page): string;
  close(): Promise<void>;
}

export const bytes =
  (body: Uint8Array | string, headers: Record<string, string> = {}): Page =>
  (response) => {
    response.writeHead(200, headers).end(body);
  };
export const status =
  (code: number, headers: Record<string, string> = {}): Page =>
  (response) => {
    response.writeHead(code, headers).end('This is not the file.');
  };
export const sendsOn = (location: string, code = 302): Page => status(code, { location });
export const hangs: Page = () => undefined;

export async function startFileServer(): Promise<FileServer> {
  const pages = new Map<string, Page>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    asked.push(path);
    (pages.get(path) ?? status(404))(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}`;
  return {
    address,
    asked,
    put(path, page) {
      pages.set(path, page);
      return `${address}${path}`;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
