/** The commands of every day against a real server, for people and for machines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY, LINE, PHONE, startTestServer, type TestServer, waitFor } from '../../server/test/harness.ts';
import { createUser, linesOf, type Ran, runTrunkline, startTrunkline, type User } from './command-process.ts';

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

async function run(...words: string[]): Promise<Ran> {
  return runTrunkline(user, words);
}

/** The output of a command that did what it was asked. */
async function output(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...words);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const textsOf = (rows: readonly Record<string, unknown>[]) => rows.map((row) => row['text']);

describe('send', () => {
  it('sends, and says under which id', async () => {
    const stdout = await output('send', '--from', LINE, '--to', PHONE, 'plain');
    const id = /^Accepted: (obx_\w+)\n$/.exec(stdout)?.[1] ?? '';
    expect(await test.settled(id)).toMatchObject({ status: 'sent' });
  });

  it("gives the API's receipt with --json, and the item in the end with --wait", async () => {
    const [receipt = {}] = linesOf(await output('send', '--json', '--from', LINE, '--to', PHONE, 'for machines'));
    expect(Object.keys(receipt)).toEqual(['id', 'status', 'request_id']);
    const [item] = linesOf(await output('send', '--json', '--wait', '--from', LINE, '--to', PHONE, 'to the end'));
    expect(item).toMatchObject({ status: 'sent', payload: { text: 'to the end' } });
    expect(await output('send', '--wait', '--from', LINE, '--to', PHONE, 'in words')).toMatch(
      /^Sent: obx_\w+ \(\d+ ms\)\n$/,
    );
  });

  it('with a key of its own is one message however often it is run, and no other message', async () => {
    const phone = '+15550107308';
    await test.text('hi', phone);
    const words = ['send', '--wait', '--json', '--from', LINE, '--to', phone, '--idempotency-key', 'order 17'];
    const ids = [await output(...words, 'once'), await output(...words, 'once')].map(
      (text) => linesOf(text)[0]?.['id'],
    );
    expect(ids[0]).toBe(ids[1]);
    expect(textsOf(await test.phone(phone))).toEqual(['hi', 'once']);
    expect(await run(...words, 'another')).toMatchObject({ code: 1, stderr: expect.stringContaining('reused') });
  });

  it('reads a text from stdin', async () => {
    const { code } = await runTrunkline(
      user,
      ['send', '-', '--wait', '--from', LINE, '--to', PHONE],
      'two\nlines 😀\n',
    );
    expect({ code, texts: textsOf(await test.phone()) }).toMatchObject({
      code: 0,
      texts: expect.arrayContaining(['two\nlines 😀']),
    });
    expect(await runTrunkline(user, ['send', '-', '--from', LINE, '--to', PHONE], '')).toMatchObject({ code: 2 });
  });

  it('that fails on the line ends with 1 and the reason', async () => {
    const { code, stdout, stderr } = await run(
      'send',
      '--wait',
      '--from',
      LINE,
      '--to',
      '+15550100400',
      'nobody there',
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: obx_\w+ failed: \+15550100400 is not an iMessage user/);
  });

  it.each([
    [['--from', '+15550100999', '--to', PHONE], 4, 'line_not_found'],
    [['--from', LINE, '--to', 'nobody'], 5, 'invalid_parameter_value, param to'],
    [['--from', LINE, '--to', '+15550107777'], 1, 'contact_has_not_messaged'],
  ])('with %j is refused with %i', async (words, code, said) => {
    const ran = await run('send', 'x', ...words);
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/req_\w+\)\n$/) });
    expect(ran.stderr).toContain(said);
  });
});

describe('messages', () => {
  it('lists a chat for people, newest first, in columns', async () => {
    await output('send', '--wait', '--from', LINE, '--to', PHONE, 'the newest');
    const [head = '', first = ''] = (await output('messages', '--from', LINE, '--to', PHONE)).split('\n');
    expect(head).toMatch(/^SENT {2,}SENDER {2,}ID {2,}TEXT$/);
    expect(first).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}me {2,}msg_\w{26} {2}the newest$/);
    expect(first.indexOf('the newest')).toBe(head.indexOf('TEXT'));
  });

  it("prints the API's objects, one a line, page after page", async () => {
    const phone = '+15550107301';
    for (let index = 0; index < 105; index++) await test.text(`text ${index}`, phone);
    const all = linesOf(await output('messages', '--json', '--all', '--from', LINE, '--to', phone));
    expect(textsOf(all)).toEqual(Array.from({ length: 105 }, (_, index) => `text ${104 - index}`));
    expect(Object.keys(all[0] ?? {})).toContain('reply_to_guid');
    expect(linesOf(await output('messages', '--json', '--from', LINE, '--to', phone)).length).toBe(50);
    expect(linesOf(await output('messages', '--json', '--limit', '103', '--from', LINE, '--to', phone)).length).toBe(
      103,
    );
    expect(await run('messages', '--from', LINE, '--to', '+15550107399')).toMatchObject({ code: 4 });
  });

  it('shows what others wrote without obeying it', async () => {
    const phone = '+15550107302';
    await test.text('\u001b]0;owned\u0007\u202eevil\r\nME', phone);
    const stdout = await output('messages', '--from', LINE, '--to', phone);
    expect(stdout).toContain('\\u001b]0;owned\\u0007\\u202eevil⏎ME\n');
    expect(textsOf(linesOf(await output('messages', '--json', '--from', LINE, '--to', phone)))).toEqual([
      '\u001b]0;owned\u0007\u202eevil\r\nME',
    ]);
  });
});

describe('events', () => {
  it('follows the stream, a line for each event, until Ctrl-C', async () => {
    const human = startTrunkline(user, ['events', '--from', LINE, '--events', 'message.received']);
    const machine = startTrunkline(user, ['events', '--json']);
    await waitFor(async () => {
      await test.text('are you there?');
      return human.stdout() !== '' && machine.stdout() !== '' ? true : undefined;
    }, 'both to hear something');
    for (const one of [human, machine]) one.child.kill('SIGINT');
    const [forPeople, forMachines] = await Promise.all([human.ended, machine.ended]);
    expect(forPeople).toMatchObject({ code: 130, stderr: '' });
    expect(forPeople.stdout).toMatch(
      /^\S+ \S+ {2}[0-9a-f]+\.\d+ {2}message\.received {2}\S+ {2}\S+ {2}are you there\?\n/,
    );
    expect(forMachines).toMatchObject({ code: 130, stderr: '' });
    const [event = {}] = linesOf(forMachines.stdout);
    expect(Object.keys(event)).toEqual(['id', 'event', 'data', 'timestamp']);

    const again = startTrunkline(user, ['events', '--json', '--after', String(event['id'])]);
    await test.text('one more');
    await waitFor(() => (again.stdout().includes('one more') ? true : undefined), 'the events after the cursor');
    again.child.kill('SIGINT');
    expect(linesOf((await again.ended).stdout).map((one) => one['id'])).not.toContain(event['id']);
  });

  it('refuses a cursor of another log', async () => {
    expect(await run('events', '--after', 'nonsense')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('after'),
    });
  });

  it('ends quietly when nobody reads on', async () => {
    const one = startTrunkline(user, ['events', '--json']);
    one.child.stdout?.once('data', () => one.child.stdout?.destroy());
    const ended = one.ended.then((ran) => ran);
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    await waitFor(async () => {
      await test.text('for nobody');
      return isOver ? true : undefined;
    }, 'the command to end');
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('simulate', () => {
  it('texts a line as a phone, and shows what the phone sees', async () => {
    const phone = '+15550107303';
    expect(await output('simulate', 'text', '--phone', phone, '--to', LINE, 'hello line')).toContain(
      `${phone} wrote to ${LINE}`,
    );
    await output('send', '--wait', '--from', LINE, '--to', phone, 'hello phone');
    const lines = (await output('simulate', 'phone', phone)).split('\n');
    expect(lines[0]).toMatch(/^SENT +LINE +SENDER +STATE +TEXT$/);
    expect(lines[1]).toMatch(/the phone +\w+ +hello line$/);
    expect(lines[2]).toMatch(/\+15550100001 +\w+ +hello phone$/);
    const seen = linesOf(await output('simulate', 'phone', phone, '--json', '--line', LINE));
    expect(textsOf(seen)).toEqual(['hello line', 'hello phone']);
  });

  it('makes a group, and texts it', async () => {
    const words = [
      '--line',
      LINE,
      '--phone',
      '+15550107304,+15550107305',
      '--phone',
      '+15550107306',
      '--name',
      'Three',
    ];
    const [group = {}] = linesOf(await output('simulate', 'group', '--json', ...words));
    const id = String(group['chat_id']);
    await output('simulate', 'text', '--phone', '+15550107305', '--to', id, 'hello all');
    expect(textsOf(linesOf(await output('simulate', 'phone', '--json', '+15550107306')))).toEqual(['hello all']);
  });

  it('sets faults and clears them', async () => {
    await output('simulate', 'faults', LINE, '--fail-rate', '1');
    expect(await run('send', '--wait', '--from', LINE, '--to', PHONE, 'lost')).toMatchObject({ code: 1 });
    await output('simulate', 'faults', LINE, '--clear');
    await output('send', '--wait', '--from', LINE, '--to', PHONE, 'found');
    expect(await run('simulate', 'faults', LINE)).toMatchObject({ code: 2 });
  });

  it('makes a phone answer, and stop', async () => {
    const phone = '+15550107307';
    await test.text('hi', phone);
    expect(await output('simulate', 'autoreply', phone, '--text', 'I am busy')).toBe(`${phone} answers now.\n`);
    await output('send', '--wait', '--from', LINE, '--to', phone, 'busy?');
    const heard = async () => textsOf(linesOf(await output('messages', '--json', '--from', LINE, '--to', phone)));
    await waitFor(async () => ((await heard()).includes('I am busy') ? true : undefined), 'the answer');
    await output('simulate', 'autoreply', phone, '--off');
    expect(await run('simulate', 'autoreply', phone)).toMatchObject({ code: 2 });
  });
});
