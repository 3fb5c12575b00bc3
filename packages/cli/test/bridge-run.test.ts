/** `trunkline bridge` where the server will not have it: by hand it fails, and launchd is kept from trying for ever. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LABEL } from '../src/launch-agent.ts';
import { createUser, runTrunkline, type User } from './command-process.ts';
import { refusal, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

const TOKEN = `dtk_${'t'.repeat(43)}`;
const SENTENCE = 'does not take this token';

let server: ScriptedServer;
let user: User;
beforeAll(async () => {
  server = await startScriptedServer();
  user = await createUser();
  writeFileSync(join(user.folder, 'token'), TOKEN, { mode: 0o600 });
});
afterAll(async () => {
  await server.close();
  await user.remove();
});

function bridge(environment: Readonly<Record<string, string>>) {
  server.behave(refusal(401, 'invalid_api_key'));
  const words = [
    'bridge',
    '--server',
    server.url,
    '--token-file',
    'token',
    '--driver',
    'simulator',
    '--state-dir',
    'state',
  ];
  return runTrunkline({ ...user, environment: { ...user.environment, ...environment } }, words);
}

describe('an agent that the server refuses for good', () => {
  it('ends with the code of a refusal', async () => {
    const { code, stderr } = await bridge({});
    expect([code, stderr]).toEqual([1, expect.stringContaining(SENTENCE)]);
    expect(server.asked).toHaveLength(1);
    expect(server.asked[0]).toMatchObject({
      path: '/bridge/v1/connect',
      headers: { authorization: `Bearer ${TOKEN}` },
    });
  });

  it('ends well under launchd, which starts again what ends badly, and says why all the same', async () => {
    const { code, stderr } = await bridge({ XPC_SERVICE_NAME: LABEL });
    expect([code, stderr]).toEqual([0, expect.stringContaining(SENTENCE)]);
  });

  it('ends badly under another service of launchd, which is no agent of ours', async () => {
    expect((await bridge({ XPC_SERVICE_NAME: 'com.apple.Terminal' })).code).toBe(1);
  });
});
