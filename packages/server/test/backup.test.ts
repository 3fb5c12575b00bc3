/** What a backup holds, who may read it, and what it refuses. */
import { cpSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backupDataFolder, RESTORED_STATEMENTS } from '../src/store/backup.ts';
import { SECRET_KEY_FILE } from '../src/store/open.ts';
import { addDevice, createAgent, FILES as FILES_PATH, heard, REMOTE_LINE } from './bridge-scene.ts';
import { createHome, type Home, KEY, PHONE, startTestServer, type TestServer } from './harness.ts';
import { addRemoteLine, sendRaw } from './tenancy.ts';

const FILES = [SECRET_KEY_FILE, 'simulator.sqlite', 'trunkline.sqlite'];

describe('a backup', () => {
  let folder: string;
  let home: Home;
  let test: TestServer | null = null;
  let dataDir: string;
  let to: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
    home = await createHome('sqlite');
    dataDir = home.environment['TRUNKLINE_DATA_DIR'] ?? '';
    to = join(folder, 'backup');
    test = await startTestServer('sqlite', { home });
    await writeFile(join(dataDir, SECRET_KEY_FILE), 'A key of the data folder\n', { mode: 0o600 });
  });
  afterEach(async () => {
    await test?.stop();
    test = null;
    await home.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function stopServer(): Promise<void> {
    await test?.stop();
    test = null;
  }

  it('is a folder of plain files for its owner alone, the secret key among them', async () => {
    const { files } = await backupDataFolder({ dataDir, to });
    expect([...files].sort()).toEqual(FILES.map((name) => join(to, name)));
    expect((await readdir(to)).sort()).toEqual(FILES);
    expect(await readdir(folder)).toEqual(['backup']);
    expect((await stat(to)).mode & 0o777).toBe(0o700);
    for (const file of files) expect((await stat(file)).mode & 0o777, file).toBe(0o600);
    expect(await readFile(join(to, SECRET_KEY_FILE))).toEqual(await readFile(join(dataDir, SECRET_KEY_FILE)));
  });

  it('starts where it is put: keys, chats and webhooks are there, and a place in the old log is refused', async () => {
    await test?.webhook('http://127.0.0.1:9/hook');
    const id = (await test?.send('Before the backup')) ?? '';
    await test?.settled(id);
    const facts = () => test?.server.engine.query.selectFrom('installation').selectAll().execute();
    const epoch = (await facts())?.find((row) => row.name === 'epoch')?.value;
    await backupDataFolder({ dataDir, to });
    await stopServer();

    const other = await createHome('sqlite');
    cpSync(to, other.environment['TRUNKLINE_DATA_DIR'] ?? '', { recursive: true });
    test = await startTestServer('sqlite', { home: other });
    expect((await test.outbox(id))['status']).toBe('sent');
    expect((await test.phone(PHONE)).filter((message) => message['text'] === 'Before the backup')).toHaveLength(1);
    expect((await test.call('GET', `/v1/events?after=${epoch}.1`)).status).toBe(400);
    await test.settled(await test.send('After it'));
    await stopServer();
    await other.remove();
  });

  it('knows nothing of a file that an agent had brought a part of, so that the agent brings it whole', async () => {
    const server = test as TestServer;
    await addRemoteLine(server, REMOTE_LINE);
    const { token } = await addDevice(server, [REMOTE_LINE]);
    const bytes = Buffer.alloc(3_000, 'x');
    heard(200, await createAgent(String(await server.server.listen()), token).put('half', bytes, 0, 1_000));
    await backupDataFolder({ dataDir, to });
    await stopServer();

    const other = await createHome('sqlite');
    cpSync(to, other.environment['TRUNKLINE_DATA_DIR'] ?? '', { recursive: true });
    test = await startTestServer('sqlite', { home: other });
    const restored = createAgent(String(await test.server.listen()), token);
    expect(await restored.state('half')).toEqual({ received: 0, file: null });
    const id = await restored.bring('half', bytes, 1_000);
    expect(heard(200, await restored.ask('GET', `${FILES_PATH}/${id}`)).bytes.equals(bytes)).toBe(true);
    await stopServer();
    await other.remove();
  });

  it('holds the bytes of every file that it knows, also of one that was on its way to its place', async () => {
    const upload = async (text: string) => {
      const headers = { authorization: `Bearer ${KEY}` };
      const { body } = await sendRaw(test as TestServer, { method: 'POST', path: '/v1/files', headers, payload: text });
      return String(body['id']);
    };
    const [one, two, lost] = [await upload('one'), await upload('two'), await upload('lost')];
    const place = (folderOf: string, id: string) => join(folderOf, 'blobs', id.slice(-2), id);
    await rename(place(dataDir, two), join(dataDir, 'blobs', 'incoming', two));
    await rm(place(dataDir, lost));
    await writeFile(join(dataDir, 'blobs', 'incoming', 'file_01k0q3v5x8f9q2t7m4n6p8r0sa'), 'on its way');
    const { files, missing } = await backupDataFolder({ dataDir, to });
    expect([files.includes(join(to, 'blobs')), missing]).toEqual([true, 1]);
    expect(await readFile(place(to, one), 'utf8')).toBe('one');
    expect(await readFile(place(to, two), 'utf8')).toBe('two');
    const copies = await readdir(join(to, 'blobs'), { recursive: true });
    expect(copies.filter((name) => name.includes('file_'))).toHaveLength(2);
    expect((await stat(join(to, 'blobs'))).mode & 0o777).toBe(0o700);

    await stopServer();
    const other = await createHome('sqlite');
    cpSync(to, other.environment['TRUNKLINE_DATA_DIR'] ?? '', { recursive: true });
    test = await startTestServer('sqlite', { home: other });
    for (const [id, text] of [
      [one, 'one'],
      [two, 'two'],
    ] as const) {
      const { body } = await test.call('GET', `/v1/files/${id}`);
      const { pathname, search } = new URL(String(body['url']));
      expect((await test.server.app.inject(`${pathname}${search}`)).body).toBe(text);
    }
    await stopServer();
    await other.remove();
  });

  it('leaves the bytes to the bucket where there is one', async () => {
    expect(await backupDataFolder({ dataDir, to, hasBucket: true })).toMatchObject({ missing: 0 });
    expect((await readdir(to)).sort()).toEqual(FILES);
  });

  it('can be taken of a server that does not run, and into a folder that is there and empty', async () => {
    await stopServer();
    await mkdir(to);
    expect((await backupDataFolder({ dataDir, to })).files).toHaveLength(FILES.length);
  });

  it('overwrites nothing', async () => {
    await mkdir(to);
    await writeFile(join(to, 'mine'), 'mine');
    await expect(backupDataFolder({ dataDir, to })).rejects.toThrow(/overwrites nothing/);
    await expect(backupDataFolder({ dataDir, to: join(to, 'mine') })).rejects.toThrow(/overwrites nothing/);
    expect(await readdir(to)).toEqual(['mine']);
    await expect(backupDataFolder({ dataDir, to: join(folder, 'no', 'where') })).rejects.toThrow(/does not exist/);
  });

  it('leaves nothing behind when the database cannot be copied', async () => {
    await stopServer();
    await truncate(join(dataDir, 'trunkline.sqlite'), 5_000);
    await expect(backupDataFolder({ dataDir, to })).rejects.toThrow();
    expect(await readdir(folder)).toEqual([]);
  });

  it('says what to do where there is no SQLite database', async () => {
    const url = 'postgres://u:hunter2@localhost/x';
    await expect(backupDataFolder({ dataDir, to, databaseUrl: url })).rejects.toThrow(/^(?!.*hunter2).*pg_dump/);
    await expect(backupDataFolder({ dataDir: folder, to })).rejects.toThrow(/TRUNKLINE_DATA_DIR.*pg_dump/);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('docs/guides/backup-and-restore.md', () => {
  const guide = readFileSync(new URL('../../../docs/guides/backup-and-restore.md', import.meta.url), 'utf8');
  const inOneLine = (text: string) => text.replace(/\s+/g, ' ');

  it('has for PostgreSQL what a backup of a data folder does by itself', () => {
    const script = inOneLine(/```sql\n(.*?)```/s.exec(guide)?.[1] ?? '').trim();
    const statements = script.split(';').map((text) => text.trim());
    expect(statements).toEqual(['set search_path to trunkline', ...RESTORED_STATEMENTS.map(inOneLine), '']);
  });
});
