/** Sendblue's client repeats a POST by itself, with no key of its own to tell a repeat by: it is sent once all the same. */
import SendblueAPI from 'sendblue';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock } from './fake-clock.ts';
import { ENGINES, expectStatus, LINE, PHONE, type TestOptions, waitFor } from './harness.ts';
import { type SendblueStage, startSendblue } from './sendblue-stage.ts';

const REPEAT = { 'x-stainless-retry-count': '1' };
const message = (content: string) => ({ number: PHONE, from_number: LINE, content });

describe.each(ENGINES)('a send that is repeated on %s', (engine) => {
  let stage: SendblueStage;
  /** What happens where the failpoint is reached, once. */
  let atFailpoint: Record<string, () => Promise<void>>;
  const start = async (options: TestOptions = {}) => {
    atFailpoint = {};
    const failpoint = async (name: string) => {
      const happens = atFailpoint[name];
      delete atFailpoint[name];
      await happens?.();
    };
    stage = await startSendblue(engine, { failpoint, ...options });
  };
  beforeEach(() => start());
  afterEach(() => stage.test.stop());

  const later = (ms: number) => () => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const send = (content: string, headers = {}) => stage.call('POST', '/api/send-message', message(content), headers);
  const handles = async (sends: readonly ReturnType<typeof send>[]) => {
    const answers = await Promise.all(sends);
    return new Set(answers.map((answer) => expectStatus(202, answer).body['message_handle']));
  };

  /** The texts that the phone has got, once nothing is on its way any more. */
  async function arrived(last: string): Promise<unknown[]> {
    expectStatus(202, await send(last));
    return waitFor(async () => {
      const texts = (await stage.test.phone()).filter((one) => one['from_me'] === false).map((one) => one['text']);
      return texts.at(-1) === last ? texts.slice(0, -1) : undefined;
    }, 'the last text to arrive');
  }

  it.each(['accept.before_commit', 'accept.committed'])('after a time-out while the first is at %s', async (name) => {
    atFailpoint[name] = later(1_500);
    const hasty = stage.clientWith({ timeout: 400, maxRetries: 2 });
    const sent = await hasty.messages.send(message('Once'));
    await later(1_600)();
    expect(await arrived('Last')).toEqual(['Once']);
    const { data, pagination } = await stage.client.messages.list({ number: PHONE, is_outbound: 'true' });
    expect(data?.map(({ content }) => content)).toEqual(['Last', 'Once']);
    expect(data?.[1]).toMatchObject({ message_handle: sent.message_handle });
    expect(pagination).toMatchObject({ total: 2 });
  });

  it('is one message however often, and at once', async () => {
    const [first] = [...(await handles([send('Once')]))];
    const repeats = await handles(Array.from({ length: 8 }, () => send('Once', REPEAT)));
    expect([...repeats]).toEqual([first]);
    const early = await handles(Array.from({ length: 8 }, () => send('Early', REPEAT)));
    expect(early.size).toBe(1);
    expect(await arrived('Last')).toEqual(['Once', 'Early']);
  });

  it('is two where it is asked for twice, and a repeat is of the later one', async () => {
    const twins = await handles([send('Twice'), send('Twice')]);
    expect(twins.size).toBe(2);
    const [repeated] = [...(await handles([send('Twice', REPEAT)]))];
    expect(twins.has(repeated)).toBe(true);
    expect(await arrived('Last')).toEqual(['Twice', 'Twice']);
  });

  it('is another where anything of it differs', async () => {
    const one = await handles([send('One')]);
    expect(await handles([send('Two', REPEAT)])).not.toEqual(one);
    expect(await arrived('Last')).toEqual(['One', 'Two']);
  });

  it('that was refused is looked at again', async () => {
    const cold = { number: '+15550107001', from_number: LINE, content: 'Cold' };
    const refused = expectStatus(400, await stage.call('POST', '/api/send-message', cold));
    expect(refused.body).toMatchObject({ error_code: 4000, error_reason: 'contact_has_not_messaged' });
    await stage.test.text('Now you may', cold.number);
    await waitFor(async () => {
      const again = await stage.call('POST', '/api/send-message', cold, REPEAT);
      return again.status === 202 ? true : undefined;
    }, 'the contact to be known');
  });

  it('follows an Idempotency-Key as elsewhere', async () => {
    const key = { 'idempotency-key': 'one' };
    const first = expectStatus(202, await send('Once', key));
    const again = expectStatus(202, await send('Once', key));
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.body).toEqual(first.body);
    expect(await send('Other', key)).toMatchObject({ status: 409, body: { error_reason: 'idempotency_key_reused' } });
    expect(await arrived('Last')).toEqual(['Once']);
  });

  it('is not asked for again after an error behind its acceptance', async () => {
    let calls = 0;
    atFailpoint['accept.committed'] = async () => {
      calls++;
      throw new Error('Broken behind the commit.');
    };
    const patient = stage.clientWith({ maxRetries: 2 });
    const error: unknown = await patient.messages.send(message('Once')).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SendblueAPI.InternalServerError);
    expect(error).toMatchObject({ status: 500, error: { status: 'ERROR', error_code: 5000 } });
    expect(calls).toBe(1);
    expect(await arrived('Last')).toEqual(['Once']);
  });

  it('is sent anew after two minutes', async () => {
    await stage.test.stop();
    const clock = createFakeClock();
    await start({ clock });
    const first = expectStatus(202, await send('Again'));
    await clock.advance(119_000);
    const within = expectStatus(202, await send('Again', REPEAT));
    await clock.advance(2_000);
    const after = expectStatus(202, await send('Again', REPEAT));
    expect(within.body['message_handle']).toBe(first.body['message_handle']);
    expect(after.body['message_handle']).not.toBe(first.body['message_handle']);
  });
});
