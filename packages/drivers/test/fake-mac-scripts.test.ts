/** The fake Messages answers scripts as a real one does, with every fault that the drivers' tests arrange. */
import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Outcome } from './fake-mac/behaviour.ts';
import { type Row, uuidOf } from './fake-mac/chat-db.ts';
import type { Generation } from './fake-mac/generations.ts';
import type { FakeMac } from './fake-mac/mac.ts';
import { ACCOUNTS, CHATS, FILE_BY_CHAT, PROBE, TEXT_BY_CHAT, TEXT_BY_PARTICIPANT } from './fake-mac/stock-scripts.ts';
import { type Ran, runProgram, useMacs } from './fake-mac/use-mac.ts';

const PEER = '+15550109999';
const OTHER_PEER = '+15550109998';
const CHAT = `any;-;${PEER}`;
const STAGED = 'Library/Messages/Attachments/trunkline/one/hike.jpg';

const { start: startMac, read } = useMacs();

/** A Mac that has had one message from its peer, so that the chat is there. */
async function start(generation: Generation = 'golden'): Promise<FakeMac> {
  const mac = await startMac(generation);
  await mac.act('text', { from: PEER, text: 'Hello' });
  return mac;
}

function osascript(mac: FakeMac, script: string, argv: readonly string[], killed?: AbortSignal): Promise<Ran> {
  return runProgram([...mac.osascript, '-', ...argv], script, killed);
}

function ownRows(mac: FakeMac): Row[] {
  return read(
    mac,
    `SELECT m.guid, m.text, m.attributedBody IS NULL AS bodiless, m.service, m.is_sent, m.is_delivered, m.error,
            h.id AS handle, c.guid AS chat, a.filename, a.transfer_state AS state
       FROM message m LEFT JOIN handle h ON h.ROWID = m.handle_id
       LEFT JOIN chat_message_join j ON j.message_id = m.ROWID LEFT JOIN chat c ON c.ROWID = j.chat_id
       LEFT JOIN message_attachment_join aj ON aj.message_id = m.ROWID
       LEFT JOIN attachment a ON a.ROWID = aj.attachment_id
      WHERE m.is_from_me = 1 ORDER BY m.ROWID`,
  );
}

function stage(mac: FakeMac, place = STAGED): string {
  const path = join(mac.home, place);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'a picture');
  return path;
}

function arrange(mac: FakeMac, outcome: Outcome): Promise<null> {
  return mac.act('behave', { rules: [{ outcome, times: 1 }] });
}

describe('a text', () => {
  it('goes into its chat, is sent and delivered, and leaves text NULL', async () => {
    const mac = await start();
    const { chat: group } = await mac.act('createGroup', { participants: [PEER, OTHER_PEER], name: null, hex: true });
    expect(await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi "there"\\ 👍🏽\n\u2028\u2029'])).toEqual({
      code: 0,
      stdout: '\n',
      stderr: '',
    });
    expect((await osascript(mac, TEXT_BY_CHAT, [`any;+;${group}`, 'All'])).code).toBe(0);
    await mac.settle();
    expect(ownRows(mac)).toMatchObject([
      { text: null, bodiless: 0, handle: PEER, chat: CHAT, is_sent: 1, is_delivered: 1 },
      { text: null, handle: null, chat: `any;+;${group}`, is_sent: 1, is_delivered: 0 },
    ]);
    const [guid] = ownRows(mac).map((row) => row['guid']);
    expect(await mac.act('received', { chat: PEER })).toMatchObject([
      { guid, text: 'Hi "there"\\ 👍🏽\n\u2028\u2029', files: [] },
    ]);
    expect(mac.osascriptCalls().map(({ kind, argv }) => [kind, argv])).toEqual([
      ['text by chat', [CHAT, 'Hi "there"\\ 👍🏽\n\u2028\u2029']],
      ['text by chat', [`any;+;${group}`, 'All']],
    ]);
  });

  it('goes to a peer of whom there is no chat yet, through the account', async () => {
    const mac = await start();
    const account = uuidOf(mac.line);
    expect((await osascript(mac, TEXT_BY_PARTICIPANT, [account, OTHER_PEER, 'First'])).code).toBe(0);
    await mac.settle();
    expect(ownRows(mac)).toMatchObject([{ chat: `any;-;${OTHER_PEER}`, handle: OTHER_PEER, is_sent: 1 }]);
    const refused = await osascript(mac, TEXT_BY_PARTICIPANT, ['no such account', OTHER_PEER, 'Second']);
    expect(refused.stderr).toMatch(/execution error: RESOLVE -1728: .* \(9001\)\n$/);
  });

  it('to the line itself comes back as a row of its own', async () => {
    const mac = await start();
    await osascript(mac, TEXT_BY_PARTICIPANT, [uuidOf(mac.line), mac.line, 'Milk']);
    await mac.settle();
    const [own] = ownRows(mac);
    const twin = (await mac.act('oracle', {})).find(({ guid }) => guid === own?.['guid']);
    expect(twin).toMatchObject({
      isFromMe: true,
      chat: mac.line,
      text: 'Milk',
      rows: [own?.['guid'], expect.any(String)],
    });
  });

  it('goes by the service of its account', async () => {
    const mac = await start();
    const sms = { id: 'SMS-1', service: 'SMS', isEnabled: true, status: 'connected' } as const;
    await mac.act('setAccounts', { accounts: [sms] });
    await osascript(mac, TEXT_BY_PARTICIPANT, ['SMS-1', PEER, 'Hi']);
    await mac.settle();
    expect(ownRows(mac)).toMatchObject([{ service: 'SMS', chat: CHAT, is_sent: 1, is_delivered: 0 }]);
  });

  it('may become several rows around its links', async () => {
    const mac = await start();
    await arrange(mac, { does: 'split' });
    await osascript(mac, TEXT_BY_CHAT, [CHAT, 'See https://example.com/a and https://example.com/b']);
    await mac.settle();
    expect(ownRows(mac)).toHaveLength(3);
    expect(await mac.act('received', { chat: PEER })).toHaveLength(1);
    expect((await mac.act('oracle', {})).filter((one) => one.what === 'message' && one.isFromMe)).toMatchObject([
      { rows: [expect.any(String), expect.any(String), expect.any(String)] },
    ]);
  });

  it('to no address makes a chat all the same, and fails later', async () => {
    const mac = await start();
    await osascript(mac, TEXT_BY_PARTICIPANT, [uuidOf(mac.line), 'chat123', 'Lost']);
    await mac.settle();
    expect(ownRows(mac)).toMatchObject([{ handle: 'chat123', error: 22, is_sent: 0 }]);
    expect(await mac.act('received', { chat: 'chat123' })).toEqual([]);
  });
});

describe('the look-up of a chat', () => {
  it('fails for a GUID that is not live, in the words of the first phase', async () => {
    const mac = await start();
    await mac.act('setLiveIds', { ids: [{ guid: CHAT, live: null }] });
    for (const guid of [CHAT, `iMessage;-;${PEER}`, 'any;-;+15550100000']) {
      const { code, stderr } = await osascript(mac, TEXT_BY_CHAT, [guid, 'Hi']);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/execution error: RESOLVE -1728: .*\(9001\)\n$/)]);
    }
    await mac.settle();
    expect(ownRows(mac)).toEqual([]);
  });

  it('takes a group under the GUID of a direct chat, which makes a ghost', async () => {
    const mac = await start();
    const { chat: group } = await mac.act('createGroup', { participants: [PEER, OTHER_PEER], name: 'Hike' });
    expect((await osascript(mac, TEXT_BY_CHAT, [`any;-;${group}`, 'All'])).code).toBe(0);
    await mac.settle();
    const ghost = { text: null, bodiless: 1, service: 'SMS', handle: group, chat: null };
    expect(ownRows(mac)).toMatchObject([ghost]);
  });

  it('finds it under its live id, and one that is not live after a deep link', async () => {
    const mac = await start();
    await mac.act('setLiveIds', { ids: [{ guid: CHAT, live: `iMessage;-;${PEER}` }] });
    expect((await osascript(mac, CHATS, [])).stdout).toBe(`iMessage;-;${PEER}\n`);
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi'])).stderr).toContain('RESOLVE -1728');
    expect((await osascript(mac, TEXT_BY_CHAT, [`iMessage;-;${PEER}`, 'Hi'])).code).toBe(0);
    await mac.act('setLiveIds', { ids: [{ guid: CHAT, live: null }], comeByLink: true });
    expect((await osascript(mac, CHATS, [])).stdout).toBe('\n');
    await runProgram([...mac.program('open'), '-g', `imessage://open?address=${encodeURIComponent(PEER)}`]);
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi'])).code).toBe(0);
    await mac.settle();
    expect(await mac.act('received', { chat: PEER })).toHaveLength(2);
  });

  it('is probed without a send', async () => {
    const mac = await start();
    const id = uuidOf(mac.line);
    expect((await osascript(mac, PROBE, [CHAT])).stdout).toBe(`1, ${id}\n`);
    expect((await osascript(mac, PROBE, ['any;-;nobody'])).stdout).toBe(`0, ${id}\n`);
    expect((await osascript(mac, ACCOUNTS, [])).stdout).toBe(`${id}\tiMessage\ttrue\tconnected\n`);
  });
});

describe('a fault', () => {
  it.each([-1743, -600, -1719])('%d of the first phase sends nothing', async (error) => {
    const mac = await start();
    await arrange(mac, { does: 'refuse', error });
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi'])).stderr).toContain(`RESOLVE ${error}: `);
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi again'])).code).toBe(0);
    await mac.settle();
    expect(ownRows(mac)).toHaveLength(1);
  });

  it.each([true, false])('of the send leaves it open whether there is a row: %s', async (writesRow) => {
    const mac = await start();
    await arrange(mac, { does: 'break', error: -1712, writesRow });
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi'])).stderr).toMatch(/error: Messages .* \(-1712\)\n$/);
    await mac.settle();
    expect(ownRows(mac)).toHaveLength(writesRow ? 1 : 0);
    expect(await mac.act('received', { chat: PEER })).toHaveLength(writesRow ? 1 : 0);
  });

  it('of the send is an error of the look-up where a script sends inside its first phase', async () => {
    const mac = await start();
    await arrange(mac, { does: 'break', error: -1712, writesRow: true });
    const wrong = TEXT_BY_CHAT.replace('get id of theTarget', 'send (item 2 of argv) to theTarget');
    expect((await osascript(mac, wrong, [CHAT, 'Hi'])).stderr).toContain('RESOLVE -1712');
  });

  it('may be a success without a row, or with a ghost', async () => {
    const mac = await start();
    await arrange(mac, { does: 'nothing' });
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi'])).code).toBe(0);
    await mac.settle();
    expect(ownRows(mac)).toEqual([]);
    await arrange(mac, { does: 'ghost' });
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi'])).code).toBe(0);
    await mac.settle();
    expect(ownRows(mac)).toMatchObject([{ bodiless: 1, chat: null, handle: PEER }]);
  });

  it('may be an event that is never answered: killed, or given up by the script itself', async () => {
    const mac = await start();
    await arrange(mac, { does: 'hang', writesRow: true });
    const kill = new AbortController();
    const ran = osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi'], kill.signal);
    await expect.poll(() => ownRows(mac)).toHaveLength(1);
    kill.abort();
    expect((await ran).code).toBe('ABORT_ERR');
    await mac.settle();
    expect(ownRows(mac)).toMatchObject([{ is_sent: 1 }]);
    await arrange(mac, { does: 'hang', writesRow: false });
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi'])).stderr).toContain('(-1712)');
    expect(ownRows(mac)).toHaveLength(1);
  });

  it('may show in the row, later', async () => {
    const mac = await start();
    await arrange(mac, { does: 'fail', error: 22, afterMs: 30 });
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi'])).code).toBe(0);
    await mac.settle();
    expect(ownRows(mac)).toMatchObject([{ error: 22, is_sent: 0 }]);
    expect(await mac.act('received', { chat: PEER })).toEqual([]);
  });

  it('may be a text that is too long', async () => {
    const mac = await start();
    await mac.act('behave', { rules: [{ outcome: { does: 'bound', characters: 4, error: -1700 } }] });
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Four'])).code).toBe(0);
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Fives'])).stderr).toContain('(-1700)');
  });

  it('is a Messages that does not run, until it is opened', async () => {
    const mac = await start();
    const pgrep = [...mac.program('pgrep'), '-x', 'Messages'];
    expect((await runProgram(pgrep)).stdout).toBe(`${mac.process.pid}\n`);
    await mac.act('setRunning', { isRunning: false });
    expect((await runProgram(pgrep)).code).toBe(1);
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi'])).stderr).toContain('RESOLVE -600');
    await runProgram([...mac.program('open'), '-gj', '-b', 'com.apple.MobileSMS']);
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi'])).code).toBe(0);
  });

  it('is a script with data in it, or one that is no script of the sender', async () => {
    const mac = await start();
    const secret = 'A text that is quite long';
    const inside = TEXT_BY_CHAT.replace('send (item 2 of argv)', `send "${secret}"`);
    expect((await osascript(mac, inside, [CHAT, secret])).stderr).toContain('(-2741)');
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'One'])).code).toBe(0);
    expect((await osascript(mac, `${TEXT_BY_CHAT} -- Two`, [CHAT, 'Two'])).stderr).toContain('(-2741)');
    expect((await osascript(mac, 'do shell script "true"', [])).stderr).toContain('(-2741)');
    expect(ownRows(mac)).toHaveLength(1);
  });
});

describe('a file', () => {
  it('goes out from a place that Messages may read, and its row keeps the path', async () => {
    const mac = await start();
    const path = stage(mac);
    expect((await osascript(mac, FILE_BY_CHAT, [CHAT, path])).code).toBe(0);
    await mac.settle();
    expect(ownRows(mac)).toMatchObject([{ text: null, filename: path, state: 5, is_sent: 1, error: 0 }]);
    expect(await mac.act('received', { chat: PEER })).toMatchObject([
      { text: null, files: [{ name: 'hike.jpg', path }] },
    ]);
  });

  it('is read after the script has ended: one that was removed too early fails', async () => {
    const mac = await start();
    const path = stage(mac);
    await mac.act('behave', { rules: [], timings: { readFileMs: 2_000 } });
    await osascript(mac, FILE_BY_CHAT, [CHAT, path]);
    rmSync(path);
    await mac.settle();
    expect(ownRows(mac)).toMatchObject([{ state: 6, is_sent: 0, error: 25 }]);
    expect(await mac.act('received', { chat: PEER })).toEqual([]);
  });

  it('from anywhere else becomes an empty placeholder, and so does what is no plain file', async () => {
    const mac = await start();
    const path = stage(mac);
    const outside = stage(mac, 'Desktop/hike.jpg');
    const linked = join(dirname(path), 'linked.jpg');
    symlinkSync(outside, linked);
    const twice = join(dirname(path), 'twice.jpg');
    linkSync(outside, twice);
    for (const one of [outside, linked, twice]) {
      expect((await osascript(mac, FILE_BY_CHAT, [CHAT, one])).code).toBe(0);
    }
    await arrange(mac, { does: 'placeholder' });
    await osascript(mac, FILE_BY_CHAT, [CHAT, path]);
    await mac.settle();
    const placeholder = { filename: null, is_sent: 0, error: 25 };
    expect(ownRows(mac)).toMatchObject([placeholder, placeholder, placeholder, placeholder]);
  });

  it('from the pictures goes as an alias alone, and one that is not there not at all', async () => {
    const mac = await start();
    const path = stage(mac, 'Pictures/hike.jpg');
    await osascript(mac, FILE_BY_CHAT, [CHAT, path]);
    await mac.settle();
    expect(ownRows(mac)).toMatchObject([{ state: 5 }]);
    expect((await osascript(mac, FILE_BY_CHAT, [CHAT, `${path}.gone`])).stderr).toContain('(-43)');
    const other = await start();
    await osascript(other, FILE_BY_CHAT.replace(' as alias', ''), [CHAT, stage(other, 'Pictures/hike.jpg')]);
    await other.settle();
    expect(ownRows(other)).toMatchObject([{ filename: null, error: 25 }]);
  });
});

describe('the small programs', () => {
  it('answer as on a good Mac, or as they are told, and what called them is known', async () => {
    const mac = await start('sequoia');
    const version = [...mac.program('sw_vers'), '-productVersion'];
    expect((await runProgram(version)).stdout).toMatch(/^15\./);
    expect((await runProgram([...mac.program('csrutil'), 'status'])).stdout).toContain('enabled');
    await mac.behavePrograms({ 'launchctl print': { code: 113, stderr: 'Could not find service.\n' } });
    expect((await runProgram([...mac.program('launchctl'), 'print', 'gui/501/x'])).code).toBe(113);
    expect((await runProgram([...mac.program('launchctl'), 'managername'])).stdout).toBe('Aqua\n');
    expect(mac.programCalls().map(({ name, argv }) => [name, ...argv].join(' '))).toEqual([
      'sw_vers -productVersion',
      'csrutil status',
      'launchctl print gui/501/x',
      'launchctl managername',
    ]);
  });

  it('find no Messages when its daemons are gone', async () => {
    const mac = await start();
    mac.process.kill('SIGKILL');
    await sleep(100);
    expect((await runProgram([...mac.program('pgrep'), '-x', 'Messages'])).code).toBe(1);
    expect((await osascript(mac, TEXT_BY_CHAT, [CHAT, 'Hi'])).stderr).toContain('RESOLVE -600');
  });
});
