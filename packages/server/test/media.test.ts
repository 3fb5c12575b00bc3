/** Messages whose file comes from a URL: fetched first, then sent, in the order of their chat, on both engines. */
import { existsSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../src/clock.ts';
import type { Failpoint } from '../src/domain/failpoint.ts';
import { SENTENCES } from '../src/domain/outbox.ts';
import { RESTORED_STATEMENTS } from '../src/store/backup.ts';
import { makeWav, readCafIndependently } from './audio-media.ts';
import { download } from './file-client.ts';
import { bytes, type FileServer, hangs, type Page, sendsOn, startFileServer, status } from './file-server.ts';
import {
  createHome,
  ENGINES,
  expectStatus,
  type Home,
  LINE,
  startTestServer,
  type TestServer,
  waitFor,
} from './harness.ts';
import { filesOf, itemOf, sendUrl } from './media-scene.ts';
import { openHome } from './stage.ts';

const PEER = '+15550107901';
const OTHER = '+15550107902';
const PICTURE = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const CARD = 'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada Lovelace\r\nEND:VCARD\r\n';
const MEGABYTE = 1024 * 1024;
const METADATA = 'http://169.254.169.254/latest/meta-data/';
const BLOCKED = SENTENCES.notFetched('its address is not allowed (blocked_address)');

type Shown = Record<string, unknown>;

/** What the phone shows of ours, as text and names of files. */
async function shown(test: TestServer, handle = PEER): Promise<unknown[]> {
  const ours = (await test.phone(handle)).filter((message) => message['sender'] === LINE);
  return ours.map(({ text, attachments }) => text ?? (attachments as Shown[]).map(({ filename }) => filename).join());
}

async function newest(test: TestServer, handle = PEER): Promise<{ message: Shown; file: Shown }> {
  const message = (await test.phone(handle)).at(-1) ?? {};
  return { message, file: (message['attachments'] as Shown[])[0] ?? {} };
}

/** A page that is answered when the test says so. */
function waits(page: Page): { page: Page; goOn: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { page: (response, request) => void promise.then(() => page(response, request)), goOn: resolve };
}

/** Real time, in which only what waits exactly as long as that has not long to wait. */
function clockWith(shortened: number): Clock {
  return { ...systemClock, after: (ms, call) => systemClock.after(ms === shortened ? 300 : ms, call) };
}

describe.each(ENGINES)('a file that a message names by its URL, on %s', (engine) => {
  let files: FileServer;
  let home: Home;
  let test: TestServer;

  beforeEach(async () => {
    home = await createHome(engine);
    files = await startFileServer();
  });
  afterEach(async () => {
    await test.stop();
    await home.remove();
    await files.close();
  });

  const start = async (options: Parameters<typeof startTestServer>[1] = {}) => {
    const environment = { TRUNKLINE_FILE_LIMIT_MB: '1', ...options.environment };
    test = await startTestServer(engine, { home, ...options, environment });
    await test.server.listen();
    for (const phone of [PEER, OTHER]) await test.text('Hello', phone);
  };
  const fails = async (page: Page | string) => {
    const url = typeof page === 'string' ? page : files.put('/photo.png', page);
    return (await test.settled(await sendUrl(test, url, { to: PEER }), 'failed'))['error'];
  };
  /** The names of all blobs, and of what is in the spool. */
  const stored = () => {
    const folder = join(test.config.dataDir, 'blobs');
    const entries = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  };

  it('arrives at the phone with its name and the type of its content, and is the account’s', async () => {
    await start();
    const named = { 'content-type': 'text/html', 'content-disposition': 'attachment; filename="a \\"b\\".png"' };
    const id = await sendUrl(test, files.put('/photo', bytes(PICTURE, named)), { to: PEER, text: 'Look' });
    const item = await test.settled(id);
    expect(item).toMatchObject({ status: 'sent', attempts: 1, error: null });
    const { message, file } = await newest(test);
    expect(message).toMatchObject({ text: 'Look', is_audio_message: false });
    expect(file).toMatchObject({ filename: 'a "b".png', mime_type: 'image/png', size: PICTURE.length });
    const got = await download(String(file['url']));
    expect([got.status, got.bytes]).toEqual([200, PICTURE]);
    const [row] = await filesOf(test);
    expect(row).toMatchObject({ content_type: 'image/png', source: null, account_ref: 1 });
    expect(stored()).toEqual([row?.id]);
    expect(await itemOf(test, id)).toMatchObject({ kind: 'message', fetch_url: null });
  });

  it('is called as its address is where its server gives no name, and as the longer form where it gives two', async () => {
    await start();
    const both = `attachment; filename="plain.png"; filename*=UTF-8''l%C3%A4nger.png`;
    files.put('/b', bytes(PICTURE, { 'content-disposition': both }));
    for (const path of ['/dir/sch%C3%B6n%20da.png', '/b', '/']) {
      await test.settled(
        await sendUrl(
          test,
          files.put(path, path === '/b' ? bytes(PICTURE, { 'content-disposition': both }) : bytes(PICTURE)),
          { to: PEER },
        ),
      );
    }
    expect((await filesOf(test)).map(({ filename }) => filename)).toEqual(['schön da.png', 'länger.png', null]);
  });

  it('is of the type that its server claims where it reads as any text, and a contact card by its name', async () => {
    await start();
    const pages = { '/ada.vcf': CARD, '/bob.vcf': 'no card', '/table': 'a,b', '/note': 'words', '/fake.vcf': PICTURE };
    for (const [path, body] of Object.entries(pages)) {
      const headers = path === '/table' ? { 'content-type': 'text/csv; charset=utf-8' } : {};
      await test.settled(await sendUrl(test, files.put(path, bytes(body, headers)), { to: PEER }));
    }
    const types = (await filesOf(test)).map(({ mime_type: type }) => type);
    expect(types).toEqual(['text/vcard', 'text/vcard', 'text/csv', 'text/plain', 'image/png']);
    expect((await newest(test)).file).toMatchObject({ filename: 'fake.vcf', mime_type: 'image/png' });
  });

  it('keeps its place in its chat while its server is slow, and other chats go on', async () => {
    await start();
    const slow = waits(bytes(PICTURE));
    const before = await test.send('Before', PEER);
    const media = await sendUrl(test, files.put('/slow.png', slow.page), { to: PEER });
    const behind = await test.send('Behind', PEER);
    const other = await test.send('Other', OTHER);
    await test.settled(before);
    await test.settled(other);
    await waitFor(() => (files.asked.length > 0 ? true : undefined), 'the fetch');
    expect(await test.outbox(media)).toMatchObject({ status: 'pending', attempts: 0 });
    expect(await test.outbox(behind)).toMatchObject({ status: 'pending', attempts: 0 });
    slow.goOn();
    for (const id of [media, behind]) await test.settled(id);
    expect(await shown(test)).toEqual(['Before', 'slow.png', 'Behind']);
    expect(files.asked).toEqual(['/slow.png']);
  });

  it('lets what is behind it go on when it fails, and its failure is told', async () => {
    await start();
    const slow = waits(status(404));
    const media = await sendUrl(test, files.put('/gone.png', slow.page), { to: PEER });
    const behind = await test.send('Behind', PEER);
    slow.goOn();
    const item = await test.settled(media, 'failed');
    expect(item).toMatchObject({ attempts: 0, error: 'The file could not be fetched: its server answered 404.' });
    await test.settled(behind);
    expect(await shown(test)).toEqual(['Behind']);
    const [event] = await test.server.engine.query
      .selectFrom('events')
      .select('data')
      .where('type', '=', 'message.failed')
      .execute();
    expect(JSON.parse(event?.data ?? '{}')).toMatchObject({ id: media, error: item['error'] });
  });

  it('fails with a sentence, leaves nothing, and is never asked for again where its server answers badly', async () => {
    await start();
    const endless: Page = (response) => {
      response.writeHead(200);
      const block = Buffer.alloc(64 * 1024);
      const fill = () => {
        while (response.write(block));
      };
      response.on('drain', fill).on('error', () => undefined);
      fill();
    };
    const tooLarge = SENTENCES.notFetched('it has more than 1 MB');
    expect(await fails(status(500))).toBe(SENTENCES.notFetched('its server answered 500'));
    expect(await fails(status(304))).toBe(SENTENCES.notFetched('its server answered 304'));
    expect(await fails(bytes(''))).toBe(SENTENCES.notFetched('it is empty'));
    expect(await fails(bytes(PICTURE, { 'content-encoding': 'gzip' }))).toContain('compressed');
    expect(await fails(bytes(Buffer.alloc(MEGABYTE + 1)))).toBe(tooLarge);
    expect(await fails(endless)).toBe(tooLarge);
    expect(files.asked).toHaveLength(6);
    expect(await filesOf(test)).toEqual([]);
    expect(stored()).toEqual([]);
    expect(await shown(test)).toEqual([]);
  });

  it('is asked for once more where the connection failed, and no more than that', async () => {
    await start();
    let tries = 0;
    const id = await sendUrl(
      test,
      files.put('/once.png', (response, request) => {
        if (tries++ > 0) bytes(PICTURE)(response, request);
        else
          response.writeHead(200, { 'content-length': '16' }).write(PICTURE.subarray(0, 4), () => response.destroy());
      }),
      { to: PEER },
    );
    await test.settled(id);
    expect(tries).toBe(2);
    expect(await fails((response) => response.destroy())).toBe(
      SENTENCES.notFetched('its server broke off the connection'),
    );
    expect(files.asked).toHaveLength(4);
    const { address } = files;
    await files.close();
    expect(await fails(`${address}/x`)).toBe(SENTENCES.notFetched('its server refused the connection'));
    files = await startFileServer();
  });

  it('is followed to where its server sends on, and called as it is there', async () => {
    await start();
    files.put('/old', sendsOn('/second', 301));
    files.put('/second', sendsOn(`${files.address}/there/new.png#part`, 307));
    files.put('/there/new.png', bytes(PICTURE));
    await test.settled(await sendUrl(test, `${files.address}/old`, { to: PEER }));
    expect(await shown(test)).toEqual(['new.png']);
    expect(files.asked).toEqual(['/old', '/second', '/there/new.png']);
  });

  it('is not followed to where the server may not call, nor for ever', async () => {
    await start();
    expect(await fails(sendsOn(METADATA))).toBe(BLOCKED);
    expect(await fails(sendsOn('http://user:pass@127.0.0.1:1/'))).toBe(BLOCKED);
    expect(await fails(sendsOn('http://10.0.0.1/'))).toBe(BLOCKED);
    expect(await fails(sendsOn('file:///etc/passwd'))).toBe(SENTENCES.notFetched('its address is no URL of https'));
    expect(await fails(sendsOn('/photo.png'))).toContain('sends on to another address more than 5 times');
    expect(await fails(METADATA)).toBe(BLOCKED);
  });

  it('goes out as a voice memo where it is sound that comes alone, and else as the file that it is', async () => {
    await start();
    const wav = makeWav({ rate: 16_000, seconds: 0.5 });
    const memo = await sendUrl(test, files.put('/memo.caf', bytes(wav)), { to: PEER });
    await test.settled(memo);
    const { message, file } = await newest(test);
    expect(message).toMatchObject({ text: null, is_audio_message: true });
    expect(file).toMatchObject({ filename: 'Audio Message.caf', mime_type: 'audio/x-caf' });
    expect(readCafIndependently((await download(String(file['url']))).bytes)).toMatchObject({ codec: 'opus' });
    expect(await itemOf(test, memo)).toMatchObject({ kind: 'audio_message' });
    await waitFor(() => stored().length === 1 || undefined, 'the sound as it came to go');
    expect(stored()).toEqual((await filesOf(test)).map(({ id }) => id));

    await test.settled(await sendUrl(test, files.put('/memo', bytes(wav)), { to: PEER, text: 'Listen' }));
    expect((await newest(test)).message).toMatchObject({ text: 'Listen', is_audio_message: false });
    await test.settled(await sendUrl(test, files.put('/broken.caf', bytes('no sound')), { to: PEER }));
    expect((await newest(test)).message).toMatchObject({ is_audio_message: false });
    expect((await newest(test)).file).toMatchObject({ filename: 'broken.caf' });
  });

  it('is no voice memo on a line that has none, though it is sound', async () => {
    await start();
    await test.stop();
    const { server, close } = await openHome(home);
    await server.query.updateTable('lines').set({ service: 'sms' }).where('handle', '=', LINE).execute();
    await close();
    await start();
    const wav = makeWav({ rate: 8_000, seconds: 0.2 });
    const id = await sendUrl(test, files.put('/memo.wav', bytes(wav)), { to: PEER });
    await test.settled(id);
    expect(await itemOf(test, id)).toMatchObject({ kind: 'message' });
    expect(await shown(test)).toEqual(['memo.wav']);
  });

  it('is not waited for when the server stops, and is fetched and sent once by the next one', async () => {
    await start();
    let isClosed = false;
    const url = files.put('/slow.png', (response) => {
      response.on('close', () => {
        isClosed = true;
      });
    });
    const media = await sendUrl(test, url, { to: PEER });
    const behind = await test.send('Behind', PEER);
    await waitFor(() => (files.asked.length > 0 ? true : undefined), 'the fetch');
    await test.stop();
    await waitFor(() => isClosed || undefined, 'the fetch to be broken off');
    const left = await openHome(home);
    expect(await left.server.query.selectFrom('outbox').select('state').orderBy('ref').execute()).toEqual([
      { state: 'fetching' },
      { state: 'pending' },
    ]);
    await left.close();
    files.put('/slow.png', bytes(PICTURE));
    await start();
    for (const id of [media, behind]) await test.settled(id);
    expect(await shown(test)).toEqual(['slow.png', 'Behind']);
    expect(files.asked).toEqual(['/slow.png', '/slow.png']);
    expect(await filesOf(test)).toHaveLength(1);
    expect(stored()).toHaveLength(1);
  });

  it.each(['fetch.before_commit', 'fetch.committed'] as const)(
    'is sent once though its fetch ends at %s',
    async (name) => {
      let times = 0;
      const failpoint = (reached: Failpoint) => {
        if (reached === name && times++ === 0) throw new Error('It ended here.');
        return undefined;
      };
      await start({ failpoint });
      const id = await sendUrl(test, files.put('/photo.png', bytes(PICTURE)), { to: PEER });
      await test.settled(id);
      expect(await shown(test)).toEqual(['photo.png']);
      expect(files.asked).toHaveLength(name === 'fetch.committed' ? 1 : 2);
      const rows = await filesOf(test);
      expect(rows).toHaveLength(1);
      const got = await download(String((await newest(test)).file['url']));
      expect([got.status, got.bytes]).toEqual([200, PICTURE]);
      expect(stored()).toEqual(rows.map((row) => row.id));
    },
  );

  it('is fetched again by the next holder where the line was taken over meanwhile, and sent once', async () => {
    await start();
    const slow = waits(bytes(PICTURE));
    const id = await sendUrl(test, files.put('/slow.png', slow.page), { to: PEER });
    await waitFor(() => (files.asked.length > 0 ? true : undefined), 'the fetch');
    const { engine: database } = test.server;
    const { ref } = await database.query
      .selectFrom('lines')
      .select('ref')
      .where('handle', '=', LINE)
      .executeTakeFirstOrThrow();
    await database.query
      .updateTable('leases')
      .set((row) => ({ fence: row('fence', '+', 1), holder: 'another', expires_at: 0 }))
      .where('name', '=', `line ${ref}`)
      .execute();
    slow.goOn();
    await test.settled(id);
    expect(files.asked).toHaveLength(2);
    expect(await shown(test)).toEqual(['slow.png']);
    expect(await filesOf(test)).toHaveLength(1);
    await waitFor(() => stored().length === 1 || undefined, "the predecessor's bytes to go");
  });

  it('is dropped where the line was removed meanwhile, however far it had come', async () => {
    const atCommit = Promise.withResolvers<void>();
    let isThere = false;
    const failpoint = (reached: Failpoint) => {
      if (reached !== 'fetch.before_commit') return undefined;
      isThere = true;
      return atCommit.promise;
    };
    await start({ failpoint });
    const ready = await sendUrl(test, files.put('/ready.png', bytes(PICTURE)), { to: PEER });
    const slow = await sendUrl(test, files.put('/slow.png', hangs), { to: OTHER });
    await waitFor(() => (isThere && files.asked.length === 2 ? true : undefined), 'both fetches');
    expect(stored()).toHaveLength(1);
    expectStatus(200, await test.call('DELETE', `/admin/v1/lines/${encodeURIComponent(LINE)}`));
    atCommit.resolve();
    for (const id of [ready, slow]) {
      expect(await test.outbox(id)).toMatchObject({ status: 'failed', error: SENTENCES.lineRemoved });
    }
    await waitFor(() => (stored().length === 0 ? true : undefined), 'the bytes to go');
    expect(await filesOf(test)).toEqual([]);
    expect((await itemOf(test, ready)).state).toBe('failed');
  });

  it('is fetched beside three others at most, and the next one follows', async () => {
    await start();
    const slow = waits(bytes(PICTURE));
    const ids: string[] = [];
    for (let index = 0; index < 6; index++) {
      ids.push(await sendUrl(test, files.put(`/${index}.png`, slow.page), { to: `+155501079${10 + index}` }));
    }
    await waitFor(() => (files.asked.length === 4 ? true : undefined), 'four fetches');
    await test.settled(await test.send('Passes by', OTHER));
    expect(files.asked).toEqual(['/0.png', '/1.png', '/2.png', '/3.png']);
    slow.goOn();
    for (const id of ids) await test.settled(id);
    expect(files.asked).toHaveLength(6);
  });

  it('waits while files cannot be stored, and goes out when they can', async () => {
    await start({ clock: clockWith(5_000) });
    const blobs = join(test.config.dataDir, 'blobs');
    symlinkSync(join(test.config.dataDir, 'nowhere'), blobs);
    const id = await sendUrl(test, files.put('/photo.png', bytes(PICTURE)), { to: PEER });
    await waitFor(() => files.asked.length > 1 || undefined, 'another fetch');
    expect((await itemOf(test, id)).state).toBe('fetching');
    rmSync(blobs);
    await test.settled(id);
    expect(await shown(test)).toEqual(['photo.png']);
    expect(await filesOf(test)).toHaveLength(1);
  });

  it('is asked about first where a backup was restored, and then fetched and sent', async () => {
    await start();
    const id = await sendUrl(test, files.put('/photo.png', hangs), { to: PEER });
    await waitFor(() => files.asked.length === 1 || undefined, 'the fetch');
    await test.stop();
    const left = await openHome(home);
    for (const text of RESTORED_STATEMENTS) await sql.raw(text).execute(left.server.query);
    expect(await left.server.query.selectFrom('outbox').select('state').execute()).toEqual([{ state: 'sending' }]);
    await left.close();
    files.put('/photo.png', bytes(PICTURE));
    await start();
    expect(await test.settled(id)).toMatchObject({ attempts: 1 });
    expect((await itemOf(test, id)).hand_overs).toBeGreaterThan(1_000);
    expect(await shown(test)).toEqual(['photo.png']);
    expect(files.asked).toHaveLength(2);
  });

  it('fails where its server does not send it within 30 seconds', async () => {
    await start({ clock: clockWith(30_000) });
    const drips: Page = (response) => response.writeHead(200).write('a');
    expect(await fails(drips)).toBe(SENTENCES.notFetched('its server did not send it within 30 s'));
    expect(await fails(hangs)).toBe(SENTENCES.notFetched('its server did not send it within 30 s'));
    expect(files.asked).toHaveLength(2);
    expect(stored()).toEqual([]);
  });
});
