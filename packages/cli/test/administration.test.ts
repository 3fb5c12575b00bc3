/** Keys, devices, lines and the walk of a message: the commands that speak to the admin API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineLane } from '../../server/src/domain/line.ts';
import { noteDevices } from '../../server/src/store/devices.ts';
import { acquireLeases } from '../../server/src/store/leases.ts';
import {
  KEY,
  LINE,
  PHONE,
  SANDBOX_LINE,
  startTestServer,
  type TestServer,
  waitFor,
} from '../../server/test/harness.ts';
import { answers, startReceiver } from '../../server/test/receiver.ts';
import { createUser, linesOf, type Ran, runTrunkline, type User } from './command-process.ts';

const DAY_MS = 86_400_000;

let test: TestServer;
let user: User;
beforeAll(async () => {
  test = await startTestServer('sqlite');
  const address = String(await test.server.listen());
  user = await createUser({ TRUNKLINE_URL: address, TRUNKLINE_API_KEY: KEY });
});
afterAll(async () => {
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

/** As somebody else, with another key. */
function runAs(key: string, ...words: string[]): Promise<Ran> {
  return runTrunkline({ ...user, environment: { ...user.environment, TRUNKLINE_API_KEY: key } }, words);
}

describe('keys', () => {
  it('are made with what was asked for, and shown once', async () => {
    const words = ['--name', 'Reader', '--scopes', 'messages:read,lines:read', '--line', LINE, '--rate-limit', '77'];
    const before = Date.now();
    const made = await jsonOf('keys', 'create', ...words, '--expires', '30d');
    expect(made).toMatchObject({ name: 'Reader', scopes: ['messages:read', 'lines:read'], rate_limit_per_hour: 77 });
    expect(made['line_ids']).toEqual([expect.stringMatching(/^ln_/)]);
    expect(Number(made['expires_at'])).toBeGreaterThanOrEqual(before + 30 * DAY_MS);
    expect(Number(made['expires_at'])).toBeLessThan(Date.now() + 31 * DAY_MS);
    const key = String(made['key']);
    expect(await runAs(key, 'messages', '--from', LINE, '--to', PHONE)).toMatchObject({ code: 0 });
    expect(await runAs(key, 'send', 'x', '--from', LINE, '--to', PHONE)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('messages:write'),
    });
    const { stdout } = await run('keys', 'list', '--json');
    expect(stdout).not.toContain(key);
    expect(linesOf(stdout)[0]).toMatchObject({ id: made['id'], prefix: expect.any(String) });
  });

  it('are printed alone on stdout for people, so that a script can take them', async () => {
    const { code, stdout, stderr } = await run('keys', 'create', '--name', 'For a script');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^sk_live_\w+\n$/) });
    expect(stderr).toMatch(/^Made key_\w+\. The key is shown this once:\n$/);
  });

  it('are listed in columns, newest first, with their state', async () => {
    const { id } = await jsonOf('keys', 'create', '--name', 'Soon gone');
    expect(await output('keys', 'revoke', String(id), '--yes')).toBe(`Revoked ${String(id)}.\n`);
    const lines = (await output('keys', 'list')).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^ID +NAME +PREFIX +SCOPES +LINES +LAST USED +EXPIRES +STATE$/);
    expect(lines[1]).toMatch(new RegExp(`^${String(id)} +Soon gone +sk_live_\\S+ +\\d+ scopes +all +.* +revoked$`));
    expect(lines.at(-1)).toMatch(/^key_\w+ +First key .* valid$/);
  });

  it('are revoked only on purpose, and then do nothing more', async () => {
    const made = await jsonOf('keys', 'create', '--name', 'Short-lived');
    const [id, key] = [String(made['id']), String(made['key'])];
    expect(await run('keys', 'revoke', id)).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(await runAs(key, 'messages', '--from', LINE, '--to', PHONE)).toMatchObject({ code: 0 });
    expect(await jsonOf('keys', 'revoke', id, '--yes')).toMatchObject({ id, deleted: true });
    await waitFor(
      async () => ((await runAs(key, 'messages', '--from', LINE, '--to', PHONE)).code === 3 ? true : undefined),
      'the key to be useless',
    );
  });

  it.each([
    [['revoke', 'key_nosuch', '--yes'], 4, 'key_not_found'],
    [['create', '--name', 'x', '--scopes', 'everything'], 5, 'scopes'],
    [['create', '--name', 'x', '--expires', '2020-01-01'], 5, 'expires_at'],
    [['create', '--name', 'x', '--expires', 'soon'], 2, '--expires'],
    [['create'], 2, '--name'],
  ])('%j ends with %i', async (words, code, said) => {
    expect(await run('keys', ...words)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(said) });
  });
});

describe('devices', () => {
  const REMOTE = '+15550107511';
  beforeAll(async () => {
    const { settings, driver } = await jsonOf('lines', 'add', REMOTE, '--driver', 'remote');
    expect({ settings, driver }).toMatchObject({ settings: { pace_ms: 1_000 }, driver: 'remote' });
  });
  afterAll(() => output('lines', 'remove', REMOTE, '--purge', '--yes'));

  it('are made for their lines, with a token that is shown once', async () => {
    const made = await jsonOf('devices', 'add', 'Office Mac', '--line', REMOTE);
    expect(made).toMatchObject({ name: 'Office Mac', line_ids: [expect.stringMatching(/^ln_/)], agent: null });
    expect(made['token']).toMatch(/^dtk_[\w-]{43}$/);
    const list = await output('devices', 'list', '--json');
    expect(linesOf(list)[0]).toMatchObject({ id: made['id'], prefix: String(made['token']).slice(0, 8) });
    const one = await jsonOf('devices', 'get', String(made['id']));
    expect(one).toMatchObject({ id: made['id'], name: 'Office Mac' });
    expect(list + JSON.stringify(one)).not.toContain(String(made['token']));
  });

  it('print the token alone on stdout for people, and beside it how the agent is started', async () => {
    const { code, stdout, stderr } = await run('devices', 'add', 'For a script', '--line', REMOTE);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^dtk_[\w-]{43}\n$/) });
    expect(stderr).toMatch(/^Made dev_\w+\. Its token is shown this once:\n/);
    const address = user.environment['TRUNKLINE_URL'];
    expect(stderr).toContain(`\n  trunkline bridge --server ${address} --token-file FILE\n`);
  });

  it('are listed in columns, newest first, with what their agents said and how they are', async () => {
    const HEAD = /^ID +NAME +PREFIX +LINES +AGENT +CLOCK +STATE$/;
    const { id } = await jsonOf('devices', 'add', 'Basement', '--line', REMOTE);
    const row = async () => {
      const [head, one = ''] = (await output('devices', 'get', String(id))).trimEnd().split('\n');
      expect(head).toMatch(HEAD);
      return one;
    };
    expect(await row()).toMatch(/^dev_\w+ +Basement +dtk_\S{4} +ln_\w+ +- +- +never connected$/);
    const { writer, engine } = test.server;
    const { ref } = await engine.query
      .selectFrom('devices')
      .select('ref')
      .where('id', '=', String(id))
      .executeTakeFirstOrThrow();
    const said = { agent: { version: '0.1.0', platform: 'macOS 15.5' }, clockOffsetMs: 12 };
    const connectedAt = Date.now();
    await writer.write(noteDevices, { ref, connectedAt, disconnectedAt: null, ...said });
    expect(await row()).toMatch(/ away, connected at \d{4}-\d\d-\d\d [\d:]{8}$/);
    const { ref: lineRef } = await engine.query
      .selectFrom('lines')
      .select('ref')
      .where('handle', '=', REMOTE)
      .executeTakeFirstOrThrow();
    await writer.write(acquireLeases, { name: lineLane(lineRef), holder: 'agent Basement', ms: 600_000 });
    expect(await row()).toMatch(/ 0\.1\.0 on macOS 15\.5 +\+12 ms +connected since \d{4}-\d\d-\d\d [\d:]{8}$/);
    await writer.write(noteDevices, { ref, connectedAt, disconnectedAt: connectedAt, ...said, clockOffsetMs: -7 });
    expect(await row()).toMatch(/ -7 ms +away since \d{4}-\d\d-\d\d [\d:]{8}$/);
    expect(await output('devices', 'revoke', String(id), '--yes')).toBe(`Revoked ${String(id)}.\n`);
    const lines = (await output('devices', 'list')).trimEnd().split('\n');
    expect(lines[0]).toMatch(HEAD);
    expect(lines[1]).toMatch(new RegExp(`^${String(id)} +Basement .* revoked$`));
    expect(lines.slice(2).every((line) => line.endsWith('never connected'))).toBe(true);
  });

  it('are revoked only on purpose', async () => {
    const { id } = await jsonOf('devices', 'add', 'Short-lived', '--line', REMOTE);
    const asked = await run('devices', 'revoke', String(id));
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect((await jsonOf('devices', 'get', String(id)))['revoked_at']).toBeNull();
    expect(await jsonOf('devices', 'revoke', String(id), '--yes')).toMatchObject({ id, deleted: true });
    expect((await jsonOf('devices', 'get', String(id)))['revoked_at']).toEqual(expect.any(Number));
  });

  it.each([
    [['get', 'dev_nosuch'], 4, 'device_not_found'],
    [['revoke', 'dev_nosuch', '--yes'], 4, 'device_not_found'],
    [['add', 'x', '--line', '+15550107599'], 4, 'line_not_found'],
    [['add', 'x', '--line', SANDBOX_LINE], 5, 'lines'],
    [['add', 'x'], 2, '--line'],
  ])('%j ends with %i', async (words, code, said) => {
    expect(await run('devices', ...words)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(said) });
  });
});

describe('lines', () => {
  const HANDLE = '+15550107501';

  it('are listed with their health', async () => {
    const [head = '', ...rows] = (await output('lines', 'list')).trimEnd().split('\n');
    expect(head).toMatch(/^HANDLE +ID +LABEL +DRIVER +STATE +PACE +CONTACT FIRST +STOP WORDS$/);
    expect(rows.find((row) => row.startsWith(LINE))).toMatch(/ln_\w+ +Simulator +simulator +online +- +on +off$/);
    expect(linesOf(await output('lines', 'list', '--json')).map((line) => line['handle'])).toContain(SANDBOX_LINE);
  });

  it('can be left out where there is only one', async () => {
    expect(await output('send', '--wait', '--to', PHONE, 'from the only one')).toMatch(/^Sent: /);
    expect(await output('messages', '--to', PHONE, '--limit', '1')).toContain('from the only one');
  });

  it('are added, changed, removed and brought back', async () => {
    const added = await jsonOf('lines', 'add', HANDLE, '--label', 'Second');
    expect(added).toMatchObject({ handle: HANDLE, label: 'Second', driver: 'simulator', is_active: true });
    expect(await run('send', '--to', PHONE, 'x')).toMatchObject({ code: 2, stderr: expect.stringContaining(HANDLE) });
    const words = ['--contact-first', 'off', '--opt-out-keywords', 'on', '--pace-ms', '5', '--label', 'Quick'];
    const changed = await jsonOf('lines', 'set', HANDLE, ...words);
    expect(changed).toMatchObject({
      id: added['id'],
      label: 'Quick',
      settings: { contact_first: false, opt_out_keywords: true, pace_ms: 5 },
    });
    const sent = await waitFor(async () => {
      const ran = await run('send', '--wait', '--from', HANDLE, '--to', '+15550107502', 'nobody wrote first');
      return ran.code === 0 ? ran : undefined;
    }, 'the change to hold');
    expect(sent.stdout).toMatch(/^Sent: /);
    expect(await output('lines', 'set', HANDLE, '--active', 'off')).toBe(
      `Changed ${HANDLE} (${String(added['id'])}).\n`,
    );
    expect(await output('lines', 'list')).toMatch(/Quick +simulator +off +5 ms +off +on\n/);

    expect(await run('lines', 'remove', HANDLE)).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(await jsonOf('lines', 'remove', HANDLE, '--yes')).toMatchObject({ deleted: true });
    expect(await output('lines', 'list')).not.toContain(HANDLE);
    expect(await output('lines', 'list', '--removed')).toMatch(/\+15550107501 .* removed /);
    expect(await jsonOf('lines', 'add', HANDLE)).toMatchObject({ id: added['id'] });
    expect(await output('lines', 'remove', HANDLE, '--purge', '--yes')).toContain('with its chats and messages');
  });

  it.each([
    [['set', '+15550107599', '--active', 'on'], 4, 'line_not_found'],
    [['remove', '+15550107599', '--yes'], 4, 'line_not_found'],
    [['add', 'nobody'], 5, 'handle'],
    [['add', LINE], 5, 'already a line'],
    [['add', HANDLE, '--driver', 'pigeon'], 2, 'simulator'],
    [['set', LINE], 2, 'at least one option'],
    [['set', LINE, '--pace-ms', '600001'], 2, 'from 0 to 600000'],
  ])('%j ends with %i', async (words, code, said) => {
    expect(await run('lines', ...words)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(said) });
  });
});

describe('explain', () => {
  it('walks an outbox item and its message, step by step with milliseconds', async () => {
    const receiver = await startReceiver(answers(204));
    await test.webhook(receiver.url, ['message.sent']);
    const item = await jsonOf('send', '--wait', '--from', LINE, '--to', PHONE, 'explain me');
    const id = String(item['id']);
    const walk = () => jsonOf('explain', id);
    const steps = (answer: Record<string, unknown>) => (answer['walk'] as { step: string }[]).map(({ step }) => step);
    const answer = await waitFor(async () => {
      const one = await walk();
      return steps(one).includes('attempt') ? one : undefined;
    }, 'the delivery');
    expect(steps(answer)).toEqual(expect.arrayContaining(['accepted', 'claimed', 'handed_over', 'sent', 'event']));
    const { message } = answer as { message: { id: string } };

    const lines = (await output('explain', id)).trimEnd().split('\n');
    expect(lines[0]).toBe(`${id}  sent`);
    expect(lines[1]).toBe(`${message.id}  explain me`);
    expect(lines[2]).toMatch(/^STEP +AT +TOOK +DETAIL$/);
    expect(lines[3]).toMatch(/^accepted +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} +-/);
    expect(lines.slice(4).every((line) => / \d+ ms( |$)/.test(line))).toBe(true);
    expect(await output('explain', message.id)).toContain(`${id}  sent`);
    await receiver.close();
  });

  it('walks a message that came in', async () => {
    await output('simulate', 'text', '--phone', PHONE, '--to', LINE, 'came in');
    const received = await jsonOf('messages', '--from', LINE, '--to', PHONE, '--limit', '1');
    expect(await output('explain', String(received['id']))).toMatch(/\nreceived .*\nstored /s);
  });

  it.each([
    ['obx_00000000000000000000000000', 4, 'outbox_item_not_found'],
    ['msg_00000000000000000000000000', 4, 'message_not_found'],
    ['cht_00000000000000000000000000', 2, 'msg_'],
  ])('%s ends with %i', async (id, code, said) => {
    expect(await run('explain', id)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(said) });
  });
});

describe('the sandbox', () => {
  const phone = '+15550107981';

  it('is paired by the code that it gives, and says how the account stands', async () => {
    expect(await output('sandbox', 'status')).toMatch(/^No phone is paired\. `trunkline sandbox activate` gives/);
    const made = await output('sandbox', 'activate');
    const [, code = ''] = /^Text ([0-9A-Z]{8}) to (\S+) from the phone to pair\.\n/.exec(made) ?? [];
    expect(made).toContain(`Text ${code} to ${SANDBOX_LINE} `);
    expect(await jsonOf('sandbox', 'activate')).toMatchObject({ status: 'pending', activation_code: code });
    await output('simulate', 'text', '--phone', phone, '--to', SANDBOX_LINE, code);
    const status = await output('sandbox', 'status');
    expect(status).toMatch(/^Paired with \+15550107981 since \d{4}-\d\d-\d\d [\d:]{8}\.\n0 of 50 messages sent; /);
    await output('send', 'Hello', '--from', SANDBOX_LINE, '--to', phone);
    expect(await jsonOf('sandbox', 'status')).toMatchObject({ contact_identifier: phone, usage: { used: 1 } });
    expect(await jsonOf('sandbox', 'deactivate')).toMatchObject({ status: 'pending', contact_identifier: null });
  });
});
