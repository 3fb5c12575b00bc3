/** The sandbox line, paired and un-paired by the client. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAdminClient } from '../src/admin.ts';
import { createClient, type MessagesClient } from '../src/index.ts';
import { KEY, type RealServer, startRealServer } from './real-server.ts';

let server: RealServer;
let client: MessagesClient;

beforeAll(async () => {
  server = await startRealServer();
  client = createClient({ apiKey: KEY, baseUrl: server.url });
});
afterAll(() => server.remove());

describe('the sandbox', () => {
  it('is paired by a text with its code, and un-paired', async () => {
    const pending = await client.activateSandbox();
    expect(pending).toMatchObject({ status: 'pending', activationCode: expect.stringMatching(/^\w{8}$/) });
    const { simulator } = createAdminClient({ apiKey: KEY, baseUrl: server.url });
    await simulator.sendText({
      from: '+15550105001',
      to: pending.sandboxLineHandle,
      text: pending.activationCode ?? '',
    });
    expect(await client.getSandbox()).toMatchObject({
      status: 'active',
      contactIdentifier: '+15550105001',
      usage: { used: 0, limit: 50, remaining: 50 },
    });
    const code = (await client.deactivateSandbox()).activationCode;
    expect(code).not.toBe(pending.activationCode);
  });
});
