/** Each exit code, what stderr says with it, and what is tried again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUser, linesOf, runTrunkline, type User } from './command-process.ts';
import { json, refusal, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

const SEND = ['send', '--from', '+15550100001', '--to', '+15550109999', 'hello'];
const RECEIPT = { id: 'obx_1', status: 'pending', request_id: 'req_1' };

let server: ScriptedServer;
let user: User;
beforeAll(async () => {
  server = await startScriptedServer();
  user = await createUser({ TRUNKLINE_URL: server.url, TRUNKLINE_API_KEY: 'sk_live_secret' });
});
afterAll(async () => {
  await server.close();
  await user.remove();
});

describe('a refusal', () => {
  it.each([
    [400, 'invalid_parameter_value', 5],
    [401, 'invalid_api_key', 3],
    [403, 'insufficient_scope', 1],
    [404, 'line_not_found', 4],
    [405, 'method_not_allowed', 1],
    [409, 'idempotency_key_reused', 1],
    [413, 'payload_too_large', 5],
    [415, 'unsupported_media_type', 5],
    [422, 'invalid_parameter_value', 5],
  ])('of %i %s ends with %i, and names the code and the request', async (status, code, exit) => {
    server.behave(refusal(status, code));
    const ran = await runTrunkline(user, SEND);
    expect(ran).toEqual({ code: exit, stdout: '', stderr: `error: It is ${code}. (${code}, req_1)\n` });
    expect(server.asked.length).toBe(1);
  });

  it('is the envelope of the API on stderr with --json', async () => {
    server.behave(json(400, { error: { code: 'a', message: 'No.', param: 'to' }, request_id: 'req_2' }));
    const { code, stdout, stderr } = await runTrunkline(user, [...SEND, '--json']);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(linesOf(stderr)).toEqual([{ error: { code: 'a', message: 'No.', param: 'to' }, request_id: 'req_2' }]);
  });

  it('cannot write to the terminal what it likes', async () => {
    server.behave(json(403, { error: { code: 'a', message: 'No\u001b[2J\u009b1m\nerror: yes' }, request_id: 'req_2' }));
    const { stderr } = await runTrunkline(user, SEND);
    expect(stderr).toBe('error: No\\u001b[2J\\u009b1m⏎error: yes (a, req_2)\n');
  });

  it('by something that is no Trunkline ends with 1', async () => {
    server.behave((response) => void response.writeHead(200).end('<html>'));
    expect(await runTrunkline(user, SEND)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('does not speak'),
    });
  });

  it('that would take the key elsewhere is not followed', async () => {
    server.behave((response) => void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end());
    const { code, stderr } = await runTrunkline(user, SEND);
    expect({ code, asked: server.asked.length }).toEqual({ code: 1, asked: 1 });
    expect(stderr).toContain('redirect to http://127.0.0.1:9/');
  });
});

describe('without a server', () => {
  it('a command ends with 6 and says where it looked', async () => {
    const away = { ...user, environment: { ...user.environment, TRUNKLINE_URL: 'http://127.0.0.1:9' } };
    for (const words of [['messages', '--from', 'a@b.c', '--to', '+15550109999'], ['events']]) {
      const { code, stdout, stderr } = await runTrunkline(away, words);
      expect({ code, stdout }).toEqual({ code: 6, stdout: '' });
      expect(stderr).toMatch(/^error: Cannot reach http:\/\/127\.0\.0\.1:9: \S.*\.\n$/);
    }
  });
});

describe('a send', () => {
  const keys = () => [...new Set(server.asked.map((one) => one.headers['idempotency-key']))];

  it('is asked for again with the same key when the connection is lost', async () => {
    server.behave((response, asked, count) => {
      if (count < 3) response.socket?.destroy();
      else json(201, RECEIPT)(response, asked, count);
    });
    const { code, stdout, stderr } = await runTrunkline(user, SEND);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Accepted: obx_1\n' });
    expect(stderr.match(/Trying again/g)?.length).toBe(2);
    expect(server.asked.length).toBe(3);
    expect(keys()).toEqual([expect.stringMatching(/^cli-[0-9a-f-]{36}$/)]);
  });

  it.each([
    [429, 'rate_limit_exceeded'],
    [500, 'internal_error'],
    [503, 'overloaded'],
    [409, 'idempotency_key_in_progress'],
  ])('waits for Retry-After after %i %s, and keeps its key', async (status, code) => {
    server.behave((response, asked, count) =>
      (count === 1 ? refusal(status, code, { 'retry-after': '1' }) : json(201, RECEIPT))(response, asked, count),
    );
    const { stdout, stderr } = await runTrunkline(user, [...SEND, '--idempotency-key', 'mine']);
    expect(stdout).toBe('Accepted: obx_1\n');
    expect(stderr).toBe(`It is ${code}. Trying again in 1 s.\n`);
    expect({ keys: keys(), asked: server.asked.length }).toEqual({ keys: ['mine'], asked: 2 });
  });

  it('gives up after four tries, and does not wait for an hour', async () => {
    server.behave(refusal(503, 'overloaded', { 'retry-after': '0' }));
    expect((await runTrunkline(user, SEND)).code).toBe(1);
    expect(server.asked.length).toBe(4);
    server.behave(refusal(429, 'rate_limit_exceeded', { 'retry-after': '3600' }));
    expect((await runTrunkline(user, SEND)).code).toBe(1);
    expect(server.asked.length).toBe(1);
  });

  it('takes a new key each time', async () => {
    server.behave(json(201, RECEIPT));
    await runTrunkline(user, SEND);
    await runTrunkline(user, SEND);
    expect(keys().length).toBe(2);
  });

  it('that is waited for ends well although the server is away for a moment', async () => {
    server.behave((response, asked, count) => {
      if (asked.method === 'POST') json(201, RECEIPT)(response, asked, count);
      else if (count === 2) response.socket?.destroy();
      else json(200, { ...RECEIPT, status: 'sent', created_at: 1_000, completed_at: 1_250 })(response, asked, count);
    });
    const { code, stdout, stderr } = await runTrunkline(user, [...SEND, '--wait']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Sent: obx_1 (250 ms)\n' });
    expect(stderr).toContain('Still waiting for obx_1');
  });
});

describe('the key', () => {
  it('is in no output of any kind', async () => {
    for (const answer of [refusal(401, 'invalid_api_key'), json(201, RECEIPT), refusal(500, 'internal_error')]) {
      server.behave(answer);
      for (const words of [SEND, [...SEND, '--json']]) {
        const { stdout, stderr } = await runTrunkline(user, words);
        expect(stdout + stderr).not.toContain('sk_live_secret');
      }
    }
  });
});
