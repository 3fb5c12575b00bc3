/** What the database holds of a secret, and what becomes of it when the key is lost or another. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSecretBox, SealBrokenError } from '../src/domain/secret-box.ts';
import { createHome, ENGINES, SECRET_KEY, startTestServer, waitFor } from './harness.ts';
import { isSigned, startReceiver } from './receiver.ts';

const OTHER_KEY = Buffer.alloc(32, 7).toString('base64');
const HOOK = 'http://127.0.0.1:9/hook';

describe.each(ENGINES)('secrets at rest on %s', (engine) => {
  it('a webhook secret is nowhere in the database as it was shown', async () => {
    const test = await startTestServer(engine);
    const { secret } = await test.webhook(HOOK);
    const rows = await test.server.engine.query.selectFrom('webhooks').selectAll().execute();
    expect(rows.map((row) => row.secret)).toEqual([expect.stringMatching(/^sealed1:/)]);
    expect(JSON.stringify(rows)).not.toContain(secret.slice('whsec_'.length, -1));
    await test.stop();
  });

  it('the same key opens it after a restart, and deliveries are signed with it', async () => {
    const home = await createHome(engine);
    const receiver = await startReceiver();
    const first = await startTestServer(engine, { home });
    const { secret } = await first.webhook(receiver.url);
    await first.stop();
    const second = await startTestServer(engine, { home });
    await second.text('Hi');
    const delivery = await waitFor(() => receiver.received[0], 'a delivery');
    expect(isSigned(delivery, secret)).toBe(true);
    await second.stop();
    await receiver.close();
    await home.remove();
  });

  it('a start with another key is refused with a sentence while there are secrets, and only then', async () => {
    const home = await createHome(engine);
    const first = await startTestServer(engine, { home });
    await first.stop();
    const withoutSecrets = await startTestServer(engine, { home, environment: { TRUNKLINE_SECRET_KEY: OTHER_KEY } });
    const { id } = await withoutSecrets.webhook(HOOK);
    await withoutSecrets.stop();
    await expect(startTestServer(engine, { home })).rejects.toThrow(/encrypted with another secret key/);
    const again = await startTestServer(engine, { home, environment: { TRUNKLINE_SECRET_KEY: OTHER_KEY } });
    await again.call('DELETE', '/v1/webhooks', { id });
    await again.stop();
    await home.remove();
  });

  it('what was written before secrets were encrypted is sealed at the start', async () => {
    const home = await createHome(engine);
    const receiver = await startReceiver();
    const first = await startTestServer(engine, { home });
    await first.webhook(receiver.url);
    await first.server.engine.query.updateTable('webhooks').set({ secret: 'whsec_plain' }).execute();
    await first.stop();
    const second = await startTestServer(engine, { home });
    const row = await second.server.engine.query.selectFrom('webhooks').select('secret').executeTakeFirst();
    expect(row?.secret).toMatch(/^sealed1:/);
    await second.text('Hi');
    const delivery = await waitFor(() => receiver.received[0], 'a delivery');
    expect(isSigned(delivery, 'whsec_plain')).toBe(true);
    await second.stop();
    await receiver.close();
    await home.remove();
  });
});

describe('a secret key that nobody gave', () => {
  it('is made once in the data folder, for its owner alone, and used again', async () => {
    const home = await createHome('sqlite');
    const start = () => startTestServer('sqlite', { home, environment: { TRUNKLINE_SECRET_KEY: '' } });
    const first = await start();
    await first.webhook(HOOK);
    await first.stop();
    const file = join(String(home.environment['TRUNKLINE_DATA_DIR']), 'secret.key');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const key = readFileSync(file, 'utf8');
    expect(Buffer.from(key, 'base64').length).toBe(32);
    const second = await start();
    await second.stop();
    expect(readFileSync(file, 'utf8')).toBe(key);
    await home.remove();
  });

  it('stops the start on a PostgreSQL database that has secrets', async () => {
    const home = await createHome('postgres');
    const folder = await createHome('sqlite');
    const first = await startTestServer('postgres', { home });
    await first.webhook(HOOK);
    await first.stop();
    const environment = { ...folder.environment, TRUNKLINE_SECRET_KEY: '' };
    await expect(startTestServer('postgres', { home, environment })).rejects.toThrow(/there is no secret key\. Set/);
    await folder.remove();
    await home.remove();
  });
});

describe('a sealed secret', () => {
  const random = (size: number) => crypto.getRandomValues(new Uint8Array(size));
  const box = createSecretBox(Buffer.from(SECRET_KEY, 'base64'), random);

  it('opens to what it was, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (secret, owner) => {
        expect(box.open(box.seal(secret, owner), owner)).toBe(secret);
      }),
    );
  });

  it('opens for nobody else, with no other key and not after any change', () => {
    const other = createSecretBox(Buffer.from(OTHER_KEY, 'base64'), random);
    const sealed = box.seal('whsec_x', 'wh_1');
    expect(() => box.open(sealed, 'wh_2')).toThrow(SealBrokenError);
    expect(() => other.open(sealed, 'wh_1')).toThrow(SealBrokenError);
    for (let index = 'sealed1:'.length; index < sealed.length - 1; index++) {
      const flipped = sealed[index] === 'A' ? 'B' : 'A';
      const changed = sealed.slice(0, index) + flipped + sealed.slice(index + 1);
      expect(() => box.open(changed, 'wh_1')).toThrow(SealBrokenError);
    }
  });

  it('never looks the same twice', () => {
    expect(box.seal('whsec_x', 'wh_1')).not.toBe(box.seal('whsec_x', 'wh_1'));
  });
});
