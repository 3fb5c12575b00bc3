/** Webhooks and their deliveries from the command, against a server that delivers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../server/src/clock.ts';
import { KEY, LINE, startTestServer, type TestServer, waitFor } from '../../server/test/harness.ts';
import { openItemScene, startItemReceiver } from '../../server/test/item-scene.ts';
import { answers, isSigned, isStandardSigned, type Receiver, startReceiver } from '../../server/test/receiver.ts';
import { createUser, linesOf, type Ran, runTrunkline, type User } from './command-process.ts';

const PHONE = '+15550107601';
const NOBODY = 'wh_00000000000000000000000000';

let test: TestServer;
let receiver: Receiver;
let user: User;
beforeAll(async () => {
  test = await startTestServer('sqlite');
  receiver = await startReceiver();
  const address = String(await test.server.listen());
  user = await createUser({ TRUNKLINE_URL: address, TRUNKLINE_API_KEY: KEY });
});
afterAll(async () => {
  await receiver.close();
  await test.stop();
  await user.remove();
});

function run(...words: string[]): Promise<Ran> {
  return runTrunkline(user, words);
}

async function output(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...words);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

async function jsonOf(...words: string[]): Promise<Record<string, unknown>> {
  const [value = {}, ...more] = linesOf(await output(...words, '--json'));
  expect(more).toEqual([]);
  return value;
}

const createdFor = (...more: string[]) =>
  jsonOf('webhooks', 'create', '--from', LINE, '--url', receiver.url, '--events', 'message.received', ...more);

/** A text comes in and its delivery gets to that state. */
async function deliver(webhook: unknown, text: string, state: string): Promise<string> {
  await test.text(text, PHONE);
  return waitFor(async () => {
    const answer = await test.call('GET', `/admin/v1/deliveries?webhook=${String(webhook)}&limit=1`);
    const [newest] = answer.body['data'] as { id: string; state: string }[];
    return newest?.state === state ? newest.id : undefined;
  }, `the delivery to be ${state}`);
}

describe('webhooks', () => {
  it('are made with a secret that is printed alone, so that a script can take it', async () => {
    const events = 'message.received,message.sent';
    const made = await run('webhooks', 'create', '--from', LINE, '--url', receiver.url, '--events', events);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^whsec_\S{44}\n$/) });
    const id = /^Made (wh_\w+)\. Its secret is shown this once:\n$/.exec(made.stderr)?.[1] ?? '';
    const lines = (await output('webhooks', 'list', '--line', LINE)).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^ID +KIND +LINE +URL +EVENTS +NEWEST +STATE$/);
    expect(lines[1]).toMatch(new RegExp(`^${id} +v1 +\\${LINE} +${receiver.url} +${events} +- +active$`));
    expect(await run('webhooks', 'delete', id)).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(await output('webhooks', 'delete', id, '--yes')).toBe(`Deleted ${id}.\n`);
    expect(await run('webhooks', 'enable', id)).toMatchObject({ code: 4 });
  });

  it('are rotated, and the old secret counts until it is said', async () => {
    const made = await createdFor();
    const id = String(made['id']);
    const rotated = await run('webhooks', 'rotate', id, '--overlap-hours', '1');
    expect(rotated.stderr).toMatch(
      /^The old secret counts until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\. The new one is shown/,
    );
    const secret = rotated.stdout.trim();
    await deliver(id, 'Both count', 'delivered');
    const one = await waitFor(() => receiver.received.at(-1), 'the delivery');
    expect(isSigned(one, secret)).toBe(true);
    expect([secret, String(made['secret'])].map((each) => isStandardSigned(one, each))).toEqual([true, true]);
    const last = await jsonOf('webhooks', 'rotate', id, '--overlap-hours', '0');
    expect(last).toMatchObject({ id, previous_secret_ends_at: null, secret: expect.stringMatching(/^whsec_/) });
    await output('webhooks', 'delete', id, '--yes');
  });

  it('are switched off and on, and the list says which', async () => {
    const id = String((await createdFor())['id']);
    expect(await output('webhooks', 'disable', id)).toBe(`${id} is switched off.\n`);
    expect(await output('webhooks', 'list')).toMatch(new RegExp(`${id} .* off \\(It was switched off\\.\\)\n`));
    expect(await jsonOf('webhooks', 'enable', id)).toMatchObject({ id, is_active: true, disabled_reason: null });
    await output('webhooks', 'delete', id, '--yes');
  });

  it.each([
    [['rotate', NOBODY], 4, 'webhook_not_found'],
    [['disable', NOBODY], 4, 'webhook_not_found'],
    [['delete', NOBODY, '--yes'], 4, 'webhook_not_found'],
    [['list', '--line', '+15550107699'], 4, 'line_not_found'],
    [['create', '--from', LINE, '--url', 'http://10.0.0.1/', '--events', 'message.sent'], 5, 'url'],
    [['create', '--from', LINE, '--url', 'http://127.0.0.1:9/', '--events', 'no.event'], 5, 'events'],
  ])('%j ends with %i', async (words, code, said) => {
    expect(await run('webhooks', ...words)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(said) });
  });
});

describe('deliveries', () => {
  it('are listed, shown with each attempt, and sent again', async () => {
    const id = String((await createdFor())['id']);
    receiver.behave(answers(500));
    const delivery = await deliver(id, 'Grüße\u001b[31m', 'retry');
    const lines = (await output('deliveries', 'list', '--webhook', id, '--since', '1h')).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^MADE +ID +WEBHOOK +EVENT +STATE +ATTEMPTS +LAST$/);
    expect(lines[1]).toMatch(
      new RegExp(`${delivery} +${id} +message\\.received +retry +1 +The receiver answered 500\\.$`),
    );
    const shown = (await output('deliveries', 'show', delivery)).trimEnd().split('\n');
    expect(shown[0]).toMatch(new RegExp(`^${delivery}  retry, next attempt \\d{4}`));
    expect(shown[1]).toMatch(new RegExp(`^message\\.received \\(evt_\\w+\\) to ${id}$`));
    expect(shown[3]).toMatch(/^1 +\d{4}-\S+ \S+ +\d+ ms +The receiver answered 500\. +noted$/);
    expect(JSON.parse(shown[4] ?? '')).toMatchObject({ delivery_id: delivery, data: { text: 'Grüße\u001b[31m' } });

    receiver.behave(answers(200));
    expect(await output('deliveries', 'resend', delivery)).toBe(`${delivery} is sent again.\n`);
    await waitFor(async () => {
      const one = await test.call('GET', `/admin/v1/deliveries/${delivery}`);
      return one.body['state'] === 'delivered' || undefined;
    }, 'the delivery');
    const whole = await jsonOf('deliveries', 'show', delivery);
    expect(whole).toMatchObject({ id: delivery, state: 'delivered', attempt_log: [{ attempt: 1 }, { status: 200 }] });
    expect(await output('deliveries', 'list', '--webhook', id, '--state', 'failed')).toBe('');

    const since = ['--webhook', id, '--since', '2h'];
    expect(await output('deliveries', 'resend', ...since)).toBe('0 deliveries are sent again.\n');
    expect(await jsonOf('deliveries', 'resend', ...since, '--state', 'all')).toMatchObject({ resent: 1 });
    await output('webhooks', 'disable', id);
    const refused = await run('deliveries', 'resend', delivery);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/Make it active first.*webhook_inactive/) });
    await output('webhooks', 'delete', id, '--yes');
  });

  it('of an account and of callbacks are listed and shown as well, each with its address', async () => {
    const items = await startItemReceiver();
    const scene = await openItemScene(test, systemClock);
    await scene.replace([{ type: 'outbound', url: `${items.url}/of-all` }]);
    await scene.ensure(`${items.url}?message=1`);
    await scene.tell('Hello', { callbackUrl: `${items.url}?message=1` });
    await scene.until(async () => (await scene.states()).join() === 'delivered,delivered' || undefined, 'both');
    const [callback = '', account = ''] = (await output('webhooks', 'list')).trimEnd().split('\n').slice(1);
    const { origin } = new URL(items.url);
    expect(callback).toMatch(new RegExp(`^wh_\\w+ +callback +all +${origin} +item\\.status +delivered +active$`));
    expect(account).toMatch(
      new RegExp(`^wh_\\w+ +account +all +${items.url}/of-all +item\\.status +delivered +active$`),
    );
    const id = /^wh_\w+/.exec(callback)?.[0] ?? '';
    const delivery = await jsonOf('deliveries', 'list', '--webhook', id, '--event', 'item.status');
    expect(delivery).toMatchObject({ kind: 'callback', url: `${items.url}?message=1`, event: 'item.status' });
    const shown = (await output('deliveries', 'show', String(delivery['id']))).split('\n');
    expect(shown[1]).toMatch(/^item\.status \(evt_\w+\) to wh_\w+ at http:\S+\?message=1$/);
    expect(JSON.parse(shown.at(-2) ?? '')).toEqual({ status: 'SENT', content: 'Hello' });
    await items.close();
  });

  it.each([
    [['show', 'dlv_00000000000000000000000000'], 4, 'delivery_not_found'],
    [['resend', 'dlv_00000000000000000000000000'], 4, 'delivery_not_found'],
    [['list', '--webhook', NOBODY], 4, 'webhook_not_found'],
    [['list', '--event', 'no.event'], 5, 'event'],
    [['resend', '--webhook', NOBODY, '--since', '2026-01-31'], 4, 'webhook_not_found'],
  ])('%j ends with %i', async (words, code, said) => {
    const ran = await run('deliveries', ...words);
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(said) });
  });
});
