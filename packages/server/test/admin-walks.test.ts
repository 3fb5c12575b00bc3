/** `/admin/v1/outbox/{id}` and `/admin/v1/messages/{id}`: every step that happened, in order, and no other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCOPES } from '../src/domain/scopes.ts';
import { ENGINES, expectStatus, LINE, PHONE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { answers, type Receiver, startReceiver } from './receiver.ts';
import { addAccount, addKey, addLine, expected, refOf, refusal, SECOND_LINE } from './tenancy.ts';

type Body = Record<string, unknown>;
interface Step {
  readonly step: string;
  readonly at: number;
  readonly took_ms: number | null;
  readonly detail: string | null;
}
interface Walk {
  readonly outbox_item: Body | null;
  readonly message: Body | null;
  readonly walk: readonly Step[];
}

const names = (walk: Walk) => walk.walk.map((one) => one.step);
const step = (walk: Walk, name: string) => walk.walk.filter((one) => one.step === name);

/** In time order, each step's duration the time since the one before. */
function expectInOrder({ walk }: Walk): void {
  for (const [place, { at, took_ms }] of walk.entries()) {
    const before = walk[place - 1];
    expect(took_ms).toBe(before ? at - before.at : null);
    if (before) expect(at).toBeGreaterThanOrEqual(before.at);
  }
}

describe.each(ENGINES)('a walk on %s', (engine) => {
  let test: TestServer;
  let receiver: Receiver;
  let hook: string;

  beforeAll(async () => {
    test = await startTestServer(engine);
    receiver = await startReceiver(answers(200));
    hook = (await test.webhook(receiver.url)).id;
  });
  afterAll(async () => {
    await test.stop();
    await receiver.close();
  });

  const read = async (path: string) => expectStatus(200, await test.call('GET', path)).body as unknown as Walk;
  const whole = (path: string, last: string) =>
    waitFor(async () => {
      const walk = await read(path);
      return names(walk).includes(last) ? walk : undefined;
    }, `a walk with ${last}`);

  it('of a send goes from the acceptance to the phone, and is the same from its message', async () => {
    const id = await test.send('Hello');
    await test.settled(id);
    const walk = await waitFor(async () => {
      const now = await read(`/admin/v1/outbox/${id}`);
      return names(now).includes('attempt') && names(now).includes('delivered') ? now : undefined;
    }, 'the whole walk');
    // The phone has it at once, which is told beside the rest.
    const own = names(walk).filter((name) => name !== 'delivered');
    expect(own).toEqual(['accepted', 'claimed', 'handed_over', 'sent', 'stored', 'event', 'event', 'attempt']);
    expect(step(walk, 'event')[1]?.detail).toMatch(/^message\.delivered evt_/);
    expect(names(walk).indexOf('delivered')).toBeGreaterThan(names(walk).indexOf('sent'));
    expectInOrder(walk);
    expect(walk.outbox_item).toEqual({ ...(await test.outbox(id)), request_id: undefined });
    expect(walk.message).toMatchObject({ outbox_id: id, text: 'Hello', is_from_me: true });
    expect(step(walk, 'event')[0]?.detail).toMatch(/^message\.sent evt_[0-9a-z]{26}$/);
    expect(step(walk, 'attempt')[0]?.detail).toMatch(new RegExp(`^${hook} attempt 1: 200, \\d+ ms$`));
    const fromMessage = await read(`/admin/v1/messages/${String(walk.message?.['id'])}`);
    expect({ ...fromMessage, request_id: '' }).toEqual({ ...walk, request_id: '' });
  });

  it('of what a phone wrote begins with the phone', async () => {
    const { guid } = await test.text('Hello line');
    const { body } = expectStatus(200, await test.call('GET', `/v1/messages/${guid}`));
    const walk = await whole(`/admin/v1/messages/${String(body['id'])}`, 'attempt');
    expect(names(walk)).toEqual(['received', 'stored', 'event', 'attempt']);
    expectInOrder(walk);
    expect(walk.outbox_item).toBeNull();
    expect(walk.message).toEqual({ ...body, request_id: undefined });
    expect(step(walk, 'received')[0]?.at).toBe(body['sent_at']);
    expect(step(walk, 'stored')[0]?.at).toBe(body['synced_at']);
  });

  it('of a send that fails ends there, with its sentence', async () => {
    const send = { from: LINE, to: '+15550100400', text: 'x' };
    const { id } = expectStatus(201, await test.call('POST', '/v1/messages', send)).body;
    const item = await test.settled(String(id), 'failed');
    const walk = await read(`/admin/v1/outbox/${String(id)}`);
    expect(names(walk)).toEqual(['accepted', 'claimed', 'failed']);
    expect(step(walk, 'failed')[0]).toMatchObject({ at: item['completed_at'], detail: item['error'] });
    expect(walk.message).toBeNull();
    expectInOrder(walk);
  });

  it('of a send that was tried again tells of its last attempt', async () => {
    const send = { from: LINE, to: '+15550100503', text: 'x' };
    const { id } = expectStatus(201, await test.call('POST', '/v1/messages', send)).body;
    await test.settled(String(id));
    const walk = await read(`/admin/v1/outbox/${String(id)}`);
    expect(step(walk, 'claimed').map((one) => one.detail)).toEqual(['attempt 3']);
    const own = names(walk).filter((name) => name !== 'delivered' && name !== 'event' && name !== 'attempt');
    expect(own).toEqual(['accepted', 'claimed', 'handed_over', 'sent', 'stored']);
    expectInOrder(walk);
  });

  it('of a send whose echo does not come knows of its hand-over, as it was answered', async () => {
    expectStatus(201, await test.call('POST', '/simulator/v1/faults', { line: LINE, drop_echo_rate: 1 }));
    const before = Date.now();
    const id = await test.send('No echo');
    const walk = await whole(`/admin/v1/outbox/${id}`, 'handed_over');
    expectStatus(200, await test.call('DELETE', '/simulator/v1/faults', { line: LINE }));
    expect(names(walk)).toEqual(['accepted', 'claimed', 'handed_over']);
    expect(step(walk, 'handed_over')[0]?.at).toBeGreaterThanOrEqual(before);
  });

  it('of what waits is its acceptance', async () => {
    expectStatus(200, await test.call('PATCH', `/admin/v1/lines/${encodeURIComponent(LINE)}`, { is_active: false }));
    expectStatus(
      200,
      await test.call('PATCH', `/admin/v1/lines/${encodeURIComponent(LINE)}`, {
        is_active: true,
        settings: { pace_ms: 600_000 },
      }),
    );
    const ids = [await test.send('One'), await test.send('Two')];
    const walk = await read(`/admin/v1/outbox/${ids[1]}`);
    expect(names(walk)).toEqual(['accepted']);
    expect(walk.walk[0]?.took_ms).toBeNull();
    expectStatus(
      200,
      await test.call('PATCH', `/admin/v1/lines/${encodeURIComponent(LINE)}`, { settings: { pace_ms: 0 } }),
    );
    for (const id of ids) await test.settled(id);
  });

  it('has each attempt of each webhook, with what came of it', async () => {
    receiver.behave(answers(503));
    const { guid } = await test.text('Fails');
    const { body } = expectStatus(200, await test.call('GET', `/v1/messages/${guid}`));
    const walk = await whole(`/admin/v1/messages/${String(body['id'])}`, 'attempt');
    expect(step(walk, 'attempt').map((one) => one.detail)).toEqual([
      expect.stringMatching(new RegExp(`^${hook} attempt 1: 503, \\d+ ms$`)),
    ]);
    receiver.behave(answers(200));
  });

  it('is not there for another account, for a key of other lines, nor where there is nothing', async () => {
    const { guid } = await test.text('Mine');
    const { body } = expectStatus(200, await test.call('GET', `/v1/messages/${guid}`));
    const item = await test.send('Mine');
    await test.settled(item);
    const stranger = await addKey(test, { accountRef: await addAccount(test), scopes: SCOPES });
    const limited = await addKey(test, { lineRefs: [(await addLine(test, SECOND_LINE)).ref], scopes: SCOPES });
    const own = await addKey(test, { lineRefs: [(await refOf(test, LINE)).ref], scopes: SCOPES });
    for (const [path, code] of [
      [`/admin/v1/outbox/${item}`, 'outbox_item_not_found'],
      [`/admin/v1/messages/${String(body['id'])}`, 'message_not_found'],
    ] as const) {
      for (const key of [stranger, limited]) {
        expect(refusal(await test.call('GET', path, undefined, { key }))).toEqual(expected(code, 'id'));
      }
      expectStatus(200, await test.call('GET', path, undefined, { key: own }));
    }
    for (const name of ['obx_none', 'msg_none', 'obx_%00', 'x', guid, PHONE]) {
      const path = encodeURIComponent(name).replace('%2500', '%00');
      expect(refusal(await test.call('GET', `/admin/v1/outbox/${path}`))).toEqual(
        expected('outbox_item_not_found', 'id'),
      );
      expect(refusal(await test.call('GET', `/admin/v1/messages/${path}`))).toEqual(
        expected('message_not_found', 'id'),
      );
    }
  });
});
