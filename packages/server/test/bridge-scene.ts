/** A device, its remote line and what an agent does with files over HTTP, byte for byte. */

import { readdirSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { BLOBS_FOLDER, SPOOL_FOLDER } from '../src/store/blob-names.ts';
import { expectStatus, KEY, type TestServer } from './harness.ts';

export const REMOTE_LINE = '+15550100005';
const UPLOADS = '/bridge/v1/uploads';
export const FILES = '/bridge/v1/files';

export interface Heard {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** Empty where the answer is no JSON. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Said {
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes?: Uint8Array;
}

/** What an agent with one device's token asks of one process. */
export interface Agent {
  readonly address: string;
  readonly token: string;
  ask(method: string, path: string, said?: Said): Promise<Heard>;
  /** Bytes of a file from `start` on; without an end all of the rest. */
  put(name: string, whole: Uint8Array, start: number, end?: number, headers?: Said['headers']): Promise<Heard>;
  /** How far the upload is. */
  state(name: string): Promise<Readonly<Record<string, unknown>>>;
  /** All of it in pieces, from where the server says that it is. Gives the file's id. */
  bring(name: string, whole: Uint8Array, pieceBytes: number): Promise<string>;
}

export function createAgent(address: string, token: string): Agent {
  const agent: Agent = {
    address,
    token,
    ask: (method, path, said = {}) => ask(`${address}${path}`, method, token, said),
    put(name, whole, start, end = whole.length, headers = {}) {
      const bytes = whole.subarray(start, end);
      const range = bytes.length === 0 ? '*' : `${start}-${end - 1}`;
      const said = { 'content-range': `bytes ${range}/${whole.length}`, 'content-length': String(bytes.length) };
      return agent.ask('PUT', uploadPath(name), { headers: { ...said, ...headers }, bytes });
    },
    async state(name) {
      return heard(200, await agent.ask('GET', uploadPath(name))).body;
    },
    async bring(name, whole, pieceBytes) {
      for (let at = Number((await agent.state(name))['received']); ; ) {
        const { body } = heard(200, await agent.put(name, whole, at, Math.min(at + pieceBytes, whole.length)));
        if (body['file'] !== null) return String(body['file']);
        at = Number(body['received']);
      }
    },
  };
  return agent;
}

export function uploadPath(name: string): string {
  return `${UPLOADS}/${encodeURIComponent(name)}`;
}

export function heard(status: number, answer: Heard): Heard {
  if (answer.status !== status) throw new Error(`Expected ${status}, got ${answer.status}: ${answer.bytes}`);
  return answer;
}

/** A device for these lines. */
export async function addDevice(test: TestServer, lines: readonly string[], key = KEY) {
  const { body } = expectStatus(201, await test.call('POST', '/admin/v1/devices', { name: 'Mac', lines }, { key }));
  return { id: String(body['id']), token: String(body['token']) };
}

/** The names of all blobs on the disk, those of the spool apart. */
export function blobsOf({ config }: TestServer): { readonly kept: string[]; readonly spooled: string[] } {
  const folder = join(config.dataDir, BLOBS_FOLDER);
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const isSpooled = ({ parentPath }: { parentPath: string }) => parentPath.endsWith(SPOOL_FOLDER);
  return {
    kept: found.flatMap((one) => (isSpooled(one) ? [] : [one.name])).sort(),
    spooled: found.flatMap((one) => (isSpooled(one) ? [one.name] : [])).sort(),
  };
}

async function ask(url: string, method: string, token: string, { headers = {}, bytes }: Said): Promise<Heard> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const authorization = token === '' ? {} : { authorization: `Bearer ${token}` };
    const request = httpRequest(url, { method, headers: { ...authorization, ...headers }, agent: false }, resolve);
    request.once('error', reject).end(bytes);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  const all = Buffer.concat(chunks);
  const isJson = response.headers['content-type']?.includes('json') === true;
  const body = isJson ? (JSON.parse(all.toString()) as Record<string, unknown>) : {};
  return { status: response.statusCode ?? 0, headers: response.headers, bytes: all, body };
}
