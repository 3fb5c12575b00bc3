/** Accounts, phones and the line that all share: what the sandbox's tests do with them, through the doors. */
import type { Answer, TestServer } from './harness.ts';
import { expectStatus, SANDBOX_LINE } from './harness.ts';
import { addAccount, addKey } from './tenancy.ts';

export type Body = Record<string, unknown>;

/** One account's way in. */
export interface Tenant {
  readonly accountRef: number;
  readonly key: string;
  call(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  get(path: string, query?: Record<string, string>): Promise<Answer>;
  /** The state that `GET /v1/sandbox` tells. */
  state(): Promise<Body>;
  /** A code that may be texted. */
  code(): Promise<string>;
  /** A phone texts the sandbox line. */
  text(phone: string, text: string): Promise<Answer>;
  /** Pairs the phone, and gives the chat with it. */
  pair(phone: string): Promise<string>;
  send(to: string, text?: string): Promise<Answer>;
  /** Sends, and waits until it is seen on the line. Gives the item's id. */
  sent(to: string, text: string): Promise<string>;
  /** What the account's list of that path shows on the sandbox line. */
  listed(path: string, query?: Record<string, string>): Promise<Body[]>;
}

export async function addTenant(test: TestServer): Promise<Tenant> {
  const accountRef = await addAccount(test);
  const key = await addKey(test, { accountRef });
  const call: Tenant['call'] = (method, path, body, headers = {}) => test.call(method, path, body, { key, headers });
  const get: Tenant['get'] = (path, query = {}) => call('GET', `${path}?${new URLSearchParams(query)}`);
  const tenant: Tenant = {
    accountRef,
    key,
    call,
    get,
    state: async () => expectStatus(200, await get('/v1/sandbox')).body,
    code: async () => String(expectStatus(200, await call('POST', '/v1/sandbox')).body['activation_code']),
    text: (phone, text) => call('POST', '/simulator/v1/messages', { from: phone, to: SANDBOX_LINE, text }),
    async pair(phone) {
      const { body } = expectStatus(201, await tenant.text(phone, await tenant.code()));
      return String(body['chat_id']);
    },
    send: (to, text = 'Hello') => call('POST', '/v1/messages', { from: SANDBOX_LINE, to, text }),
    async sent(to, text) {
      const id = String(expectStatus(201, await tenant.send(to, text)).body['id']);
      for (;;) {
        const { body } = expectStatus(200, await get('/v1/outbox', { id }));
        if (body['status'] === 'failed') throw new Error(`The item failed: ${String(body['error'])}`);
        if (body['status'] === 'sent') return id;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    listed: async (path, query = {}) =>
      expectStatus(200, await get(path, { from: SANDBOX_LINE, ...query })).body['data'] as Body[],
  };
  return tenant;
}

let phones = 0;

/** A phone that no other test has. */
export function freshPhone(): string {
  phones++;
  return `+1555013${String(phones).padStart(4, '0')}`;
}

/** Looks like a code, and is nobody's unless chance will have it. */
export function wrongCode(number: number): string {
  return `ZZZZ${String(number).padStart(4, '0')}`;
}
