/** Requests to a server process, as any client makes them. */
import { FIRST_LINE } from '../packages/server/src/first-start.ts';

export const KEY = 'sk_live_OutsideTests0123456789abcdefghijklmnopqr';
export const LINE = FIRST_LINE;

/** A process that is frozen takes the connection and says nothing. */
const ANSWER_WITHIN_MS = 2_000;

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Rejects where nobody answers. */
export async function post(address: string, path: string, body: unknown, key = KEY): Promise<Answer> {
  const response = await fetch(`${address}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  const answered: Answer['body'] = JSON.parse(await response.text());
  return { status: response.status, body: answered };
}

/** A small file of the server's. */
export async function uploadFile(address: string, text: string): Promise<string> {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'text/plain' };
  const response = await fetch(`${address}/v1/files`, { method: 'POST', headers, body: text });
  const answered: Answer['body'] = JSON.parse(await response.text());
  return String(answered['id']);
}

/** The named field of an answer that must be a 201. */
export async function create(address: string, path: string, body: unknown, field: string): Promise<string> {
  const answer = await post(address, path, body);
  if (answer.status !== 201) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return String(answer.body[field]);
}
