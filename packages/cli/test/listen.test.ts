/** `listen --forward-to`: webhook deliveries on this machine, through restarts of the server and of itself. */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KEY, LINE, startTestServer, type TestServer, waitFor } from '../../server/test/harness.ts';
import {
  answers,
  isSigned,
  isStandardSigned,
  type Received,
  type Receiver,
  startReceiver,
} from '../../server/test/receiver.ts';
import { createUser, linesOf, type Running, startTrunkline, type User } from './command-process.ts';

const PHONE = '+15550107401';
const KILLS = 4;
const ALL_WITHIN_MS = 60_000;
const KILLS_WITHIN_MS = 180_000;

let user: User;
let receiver: Receiver;
const running: Running[] = [];
beforeEach(async () => {
  user = await createUser({ TRUNKLINE_API_KEY: KEY });
  receiver = await startReceiver();
});
afterEach(async () => {
  for (const one of running.splice(0)) one.child.kill('SIGKILL');
  await receiver.close();
  await user.remove();
});

/** Resolves when the stream is open: what happens from here on is forwarded. */
async function listen(...words: string[]): Promise<Running> {
  const one = startTrunkline(user, ['listen', '--forward-to', receiver.url, ...words]);
  running.push(one);
  await waitFor(() => (one.stderr().includes('Ctrl-C ends it.') ? true : undefined), `listen: ${one.stderr()}`);
  return one;
}

const secretOf = (one: Running) => /signed with (whsec_\S+)/.exec(one.stderr())?.[1] ?? '';
const textsOf = (received: readonly Received[]) => received.map((one) => one.data['text']);
const idOf = (one: Received | undefined) => one?.headers['x-webhook-delivery-id'];
const received = (count: number) =>
  waitFor(() => (receiver.received.length >= count ? true : undefined), `${count} events at the receiver`);

describe('listen', () => {
  let test: TestServer;
  beforeEach(async () => {
    test = await startTestServer('sqlite');
    user.environment['TRUNKLINE_URL'] = String(await test.server.listen());
  });
  afterEach(() => test.stop());

  it('posts what a webhook would be sent, signed, and says so', async () => {
    const one = await listen('--from', LINE, '--events', 'message.received');
    const other = await startReceiver();
    const webhook = await test.webhook(other.url, ['message.received']);
    await test.text('Grüße 😀 \u2028', PHONE);
    await received(1);
    await waitFor(() => other.received[0], 'the delivery of the webhook');
    const [forwarded, delivered] = [receiver.received[0], other.received[0]];
    if (!forwarded || !delivered) throw new Error('Both came.');

    expect(isSigned(delivered, webhook.secret)).toBe(true);
    expect(isSigned(forwarded, secretOf(one))).toBe(true);
    expect(isStandardSigned(delivered, webhook.secret)).toBe(true);
    expect(isStandardSigned(forwarded, secretOf(one))).toBe(true);
    const namesOf = ({ headers }: Received) => Object.keys(headers).filter((name) => name.includes('webhook'));
    expect(namesOf(forwarded)).toEqual(namesOf(delivered));
    const bodies = [forwarded, delivered].map((each) => JSON.parse(each.body) as Record<string, unknown>);
    expect(Object.keys(bodies[0] ?? {})).toEqual(Object.keys(bodies[1] ?? {}));
    expect(JSON.stringify(bodies[0]?.['data'])).toBe(JSON.stringify(bodies[1]?.['data']));
    expect(String(bodies[0]?.['timestamp'])).toBe(forwarded.headers['x-webhook-timestamp']);
    expect(bodies[0]?.['delivery_id']).toBe(idOf(forwarded));
    expect(idOf(forwarded)).toMatch(/^dlv_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
    expect(forwarded.headers['content-type']).toBe(delivered.headers['content-type']);
    await waitFor(() => (one.stdout() === '' ? undefined : true), 'the line about it');
    expect(one.stdout()).toMatch(new RegExp(`  message\\.received  ${idOf(forwarded)}  200  \\d+ ms\n$`));
    await other.close();
  });

  it('tries an event until the receiver takes it, under one id, and holds the next ones back', async () => {
    receiver.behave(answers(500));
    const one = await listen('--json');
    await test.text('first', PHONE);
    await test.text('second', PHONE);
    await received(2);
    receiver.behave(answers(204));
    await waitFor(() => (textsOf(receiver.received).includes('second') ? true : undefined), 'the second');
    const firsts = receiver.received.slice(0, -1);
    expect(textsOf(firsts)).toEqual(firsts.map(() => 'first'));
    expect(new Set(firsts.map(idOf)).size).toBe(1);
    for (const each of receiver.received) expect(isSigned(each, secretOf(one))).toBe(true);
    expect(one.stderr()).toContain(`${receiver.url} answered 500; ${String(idOf(firsts[0]))} is tried again in 0.5 s.`);
    await waitFor(() => (linesOf(one.stdout()).length === 2 ? true : undefined), 'both lines');
    expect(linesOf(one.stdout())[0]).toMatchObject({ event: 'message.received', status: 204, attempts: firsts.length });
  });

  it('keeps its secret, and takes another for one run', async () => {
    const first = await listen();
    const again = await listen();
    expect(secretOf(again)).toBe(secretOf(first));
    expect(Buffer.from(secretOf(first).slice('whsec_'.length), 'base64').length).toBe(32);
    const third = await listen('--secret', 'whsec_mine', '--json');
    expect(third.stderr()).not.toContain('whsec_');
    await test.text('to all three', PHONE);
    await received(3);
    const secrets = [secretOf(first), secretOf(first), 'whsec_mine'];
    const counts = secrets.map((secret) => receiver.received.filter((one) => isSigned(one, secret)).length);
    expect(counts).toEqual([2, 2, 1]);
  });

  it('goes on where it stopped with --resume, and else begins now', async () => {
    const first = await listen();
    await test.text('one', PHONE);
    await waitFor(() => (first.stdout() === '' ? undefined : true), 'the line about it');
    first.child.kill('SIGINT');
    expect((await first.ended).code).toBe(130);
    await test.text('two', PHONE);
    const resumed = await listen('--resume');
    await received(2);
    expect(textsOf(receiver.received)).toEqual(['one', 'two']);
    resumed.child.kill('SIGKILL');
    await resumed.ended;
    await test.text('three', PHONE);
    await listen();
    await test.text('four', PHONE);
    await received(3);
    expect(textsOf(receiver.received).slice(2)).toEqual(['four']);
  });
});

describe('listen that is killed', () => {
  it('before the receiver took an event posts it again with --resume, under the same id', async () => {
    const test = await startTestServer('sqlite');
    user.environment['TRUNKLINE_URL'] = String(await test.server.listen());
    receiver.behave(answers(503));
    const first = await listen();
    await test.text('hold on to this', PHONE);
    await waitFor(() => (first.stderr().includes('is tried again') ? true : undefined), 'the first try');
    first.child.kill('SIGKILL');
    await first.ended;
    await test.text('and to this', PHONE);
    receiver.received.length = 0;
    receiver.behave(answers(200));
    const again = await listen('--resume');
    await received(2);
    expect(textsOf(receiver.received)).toEqual(['hold on to this', 'and to this']);
    expect(first.stderr()).toContain(`${String(idOf(receiver.received[0]))} is tried again`);
    expect(secretOf(again)).toBe(secretOf(first));
    await test.stop();
  });
});

describe('a server that is killed', () => {
  it(
    'again and again loses no event on the way to the receiver',
    async () => {
      const server = await startKillable();
      const one = await listen();
      const sent: string[] = [];
      const text = async (words: string) => {
        await server.text(words);
        sent.push(words);
      };
      for (let kill = 0; kill < KILLS; kill++) {
        // Nothing was ever heard before the first kill: the stream must come back to where it began.
        if (kill > 0) for (const words of ['a', 'b', 'c']) await text(`${kill}${words}`);
        if (kill % 2 === 1) receiver.behave(answers(503));
        await server.kill();
        await server.start();
        await text(`${kill} after the start`);
        receiver.behave(answers(200));
      }
      // The command may be in the midst of its longest wait between two tries.
      const isAll = () => expect(new Set(textsOf(receiver.received))).toEqual(new Set(sent));
      await vi.waitFor(isAll, { timeout: ALL_WITHIN_MS, interval: 50 });
      const taken = receiver.received.filter((each, index, all) => idOf(each) !== idOf(all[index - 1]));
      expect(textsOf(taken)).toEqual(sent);
      for (const each of receiver.received) expect(isSigned(each, secretOf(one))).toBe(true);
      expect(one.stderr()).toContain('Connected again.');
      await server.kill();
    },
    KILLS_WITHIN_MS,
  );
});

/** `trunkline serve` on one port and one folder, however often it is started. */
async function startKillable() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  user.environment['TRUNKLINE_URL'] = url;
  const environment = { ...user.environment, TRUNKLINE_BOOTSTRAP_API_KEY: KEY };
  const words = ['serve', '--port', String(port), '--data-dir', join(user.folder, 'data'), '--log-level', 'warn'];
  let process = startTrunkline({ ...user, environment }, words);
  const ready = () => waitFor(() => (process.stdout().includes('listens on') ? true : undefined), 'the server');
  running.push(process);
  await ready();
  return {
    async text(words: string) {
      const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ from: PHONE, to: LINE, text: words });
      const response = await fetch(`${url}/simulator/v1/messages`, { method: 'POST', headers, body });
      if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
    },
    async kill() {
      process.child.kill('SIGKILL');
      await process.ended;
    },
    async start() {
      process = startTrunkline({ ...user, environment }, words);
      running.push(process);
      await ready();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
