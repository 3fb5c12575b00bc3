/** What docs/guides/coming-from-sendblue.md promises and no other test shows, with Sendblue's own client. */
import { SEND_STYLES } from '@trunkline/drivers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { bytes, type FileServer, startFileServer } from './file-server.ts';
import { ENGINES, expectStatus, LINE, PHONE } from './harness.ts';
import { type SendblueStage, startSendblue } from './sendblue-stage.ts';
import { addKey, addLine, keyIdOf, SECOND_LINE } from './tenancy.ts';

const GREEN_LINE = '+15550100077';
const STRANGER = '+15550107777';

describe.each(ENGINES)('whoever comes from Sendblue, on %s,', (engine) => {
  let stage: SendblueStage;
  beforeAll(async () => {
    stage = await startSendblue(engine);
  });
  afterAll(() => stage.test.stop());

  it('has all thirteen send styles, and none on a line without', async () => {
    for (const send_style of SEND_STYLES) {
      const message = { number: PHONE, from_number: LINE, content: send_style, send_style };
      const sent = await stage.client.messages.send(message);
      const done = await stage.status(sent.message_handle ?? '', 'DELIVERED');
      expect([sent.send_style, done.send_style]).toEqual([send_style, send_style]);
    }
    const effects = (await stage.test.phone()).slice(-SEND_STYLES.length).map((one) => one['effect']);
    expect(effects).toEqual([...SEND_STYLES]);
    expect(effects).toHaveLength(13);
    await addLine(stage.test, GREEN_LINE, { service: 'sms', contactFirst: false });
    const plain = { number: PHONE, from_number: GREEN_LINE, content: 'Plain', send_style: 'lasers' } as const;
    const sent = await stage.client.messages.send(plain);
    expect(sent).toMatchObject({ content: 'Plain', send_style: '' });
    await stage.status(sent.message_handle ?? '', 'DELIVERED');
    expect((await stage.test.phone()).at(-1)).toMatchObject({ text: 'Plain', effect: null });
  });

  it('sends from lines of the account that the key may use', async () => {
    const { ref } = await addLine(stage.test, SECOND_LINE, { contactFirst: false });
    const secret = await addKey(stage.test, { lineRefs: [ref] });
    const limited = stage.clientWith({ apiKey: await keyIdOf(stage.test, secret), apiSecret: secret });
    const send = (from_number: string) => limited.messages.send({ number: PHONE, from_number, content: 'Hello' });
    expect(await send(SECOND_LINE)).toMatchObject({ status: 'QUEUED', from_number: SECOND_LINE });
    await expect(send(LINE)).rejects.toMatchObject({ status: 403 });
    await expect(send(STRANGER)).rejects.toMatchObject({ status: 400 });
  });

  it('writes to nobody first, until the settings of the line say otherwise', async () => {
    const send = () => stage.client.messages.send({ number: STRANGER, from_number: LINE, content: 'Cold' });
    await expect(send()).rejects.toMatchObject({
      status: 400,
      error: { error_reason: 'contact_has_not_messaged', status: 'ERROR' },
    });
    const path = `/admin/v1/lines/${encodeURIComponent(LINE)}`;
    expectStatus(200, await stage.test.call('PATCH', path, { settings: { contact_first: false } }));
    expect(await send()).toMatchObject({ status: 'QUEUED', number: STRANGER });
  });
});

describe.each(ENGINES)('typing that is to last a second, on %s', (engine) => {
  let stage: SendblueStage;
  let clock: FakeClock;
  beforeAll(async () => {
    clock = createFakeClock();
    stage = await startSendblue(engine, { clock });
    await stage.test.text('Hello');
  });
  afterAll(() => stage.test.stop());

  const isTyping = async () => {
    const path = `/simulator/v1/phones/${encodeURIComponent(PHONE)}/typing`;
    const { data } = expectStatus(200, await stage.test.call('GET', path)).body;
    return (data as unknown[]).length > 0;
  };
  /** The outbox works in its own time, and its database in real time. */
  async function until(isOn: boolean): Promise<void> {
    for (let looks = 0; looks < 400 && (await isTyping()) !== isOn; looks++) await clock.advance(20);
    expect(await isTyping()).toBe(isOn);
  }

  it('lasts a minute all the same', async () => {
    const chat = { number: PHONE, from_number: LINE, max_duration_ms: 1_000 };
    expectStatus(200, await stage.call('POST', '/api/send-typing-indicator', chat));
    await until(true);
    await clock.advance(50_000);
    expect(await isTyping()).toBe(true);
    await clock.advance(10_000);
    await until(false);
  });
});

describe('a media_url in a private network', () => {
  let files: FileServer;
  beforeAll(async () => {
    files = await startFileServer();
  });
  afterAll(() => files.close());

  it.each([
    ['10.0.0.0/8', false],
    ['loopback', true],
  ])('where TRUNKLINE_SINK_NETWORKS is %s is taken: %s', async (networks, isTaken) => {
    const stage = await startSendblue('sqlite', { environment: { TRUNKLINE_SINK_NETWORKS: networks } });
    const media_url = files.put('/note.txt', bytes('A note'));
    const asked = files.asked.length;
    const send = stage.client.messages.send({ number: PHONE, from_number: LINE, media_url });
    if (isTaken) await stage.status((await send).message_handle ?? '', 'DELIVERED');
    else await expect(send).rejects.toThrow(/^400 .*media_url/);
    expect(files.asked.length > asked).toBe(isTaken);
    await stage.test.stop();
  });
});
