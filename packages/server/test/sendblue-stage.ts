/** A listening server with the real `sendblue` client on it. */
import SendblueAPI from 'sendblue';
import type { EngineKind } from '../src/store/database.ts';
import { expectStatus, KEY, startTestServer, type TestOptions, type TestServer, waitFor } from './harness.ts';

export interface SendblueStage {
  readonly test: TestServer;
  readonly client: SendblueAPI;
  /** The id of the test's key, and where the server listens. */
  readonly keyId: string;
  readonly baseURL: string;
  clientWith(options: Partial<ConstructorParameters<typeof SendblueAPI>[0]>): SendblueAPI;
  /** A call with the dialect's two headers, its answer held against the row. */
  call(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): ReturnType<TestServer['call']>;
  /** Waits until a message has that status. */
  status(handle: string, status: string): Promise<SendblueAPI.Messages.MessageResponse>;
}

export async function startSendblue(engine: EngineKind, options: TestOptions = {}): Promise<SendblueStage> {
  const test = await startTestServer(engine, options);
  const baseURL = await test.server.listen();
  if (baseURL === null) throw new Error('The server does not listen.');
  const keys = expectStatus(200, await test.call('GET', '/admin/v1/keys')).body['data'] as { id: string }[];
  const keyId = keys[0]?.id ?? '';
  const clientWith: SendblueStage['clientWith'] = (more) =>
    new SendblueAPI({ baseURL, apiKey: keyId, apiSecret: KEY, maxRetries: 0, ...more });
  const client = clientWith({});
  return {
    test,
    client,
    keyId,
    baseURL,
    clientWith,
    call: (method, path, body, headers = {}) =>
      test.call(method, path, body, {
        key: null,
        headers: { 'sb-api-key-id': keyId, 'sb-api-secret-key': KEY, ...headers },
      }),
    status: (handle, status) =>
      waitFor(async () => {
        const message = await client.messages.getStatus({ handle });
        return message.status === status ? message : undefined;
      }, `message ${handle} to be ${status}`),
  };
}
