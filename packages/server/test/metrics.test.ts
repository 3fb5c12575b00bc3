/** `/metrics`: what it counts, that its list is documented, and that it tells nothing about anybody. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../src/clock.ts';
import { createMetrics } from '../src/metrics/metrics.ts';
import { createWriter } from '../src/store/writer.ts';
import { readEvents } from './event-reader.ts';
import { ENGINES, LINE, PHONE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { answers, type Receiver, startReceiver } from './receiver.ts';
import { openStage } from './stage.ts';

const environment = { TRUNKLINE_METRICS: 'on' };

describe.each(ENGINES)('/metrics on %s', (engine) => {
  let test: TestServer;
  let receiver: Receiver;
  let address: string;

  beforeEach(async () => {
    test = await startTestServer(engine, { environment });
    receiver = await startReceiver();
    address = String(await test.server.listen());
  });
  afterEach(async () => {
    await receiver.close();
    await test.stop();
  });

  const page = async () => (await fetch(`${address}/metrics`)).text();
  /** The value of a metric with exactly these labels, in any order. */
  const valueIn = (text: string, name: string, labels: Readonly<Record<string, string>> = {}) => {
    const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
    for (const line of text.split('\n')) {
      const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
      const found = (match?.[2] ?? '').split(',').filter((label) => label !== '');
      if (match?.[1] === name && [...found].sort().join() === [...wanted].sort().join()) return Number(match[3]);
    }
    return undefined;
  };
  const until = (name: string, labels: Readonly<Record<string, string>>, value: number) =>
    waitFor(async () => (valueIn(await page(), name, labels) === value ? value : undefined), `${name} to be ${value}`);

  it('needs no key, has the type that Prometheus reads, and takes GET alone', async () => {
    const response = await fetch(`${address}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toMatch(/^process_cpu_user_seconds_total \d/m);
    const refused = await fetch(`${address}/metrics`, { method: 'POST' });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET']);
  });

  it('counts sends, events, attempts, commits and requests', async () => {
    await test.webhook(receiver.url, ['message.sent']);
    await test.settled(await test.send('Counted'));
    await until('trunkline_delivery_attempt_duration_seconds_count', { outcome: 'delivered' }, 1);
    receiver.behave(answers(500));
    await test.settled(await test.send('Counted too'));
    await until('trunkline_delivery_attempt_duration_seconds_count', { outcome: 'retry' }, 1);
    receiver.behave(answers(410));
    await test.settled(await test.send('And this'));
    await until('trunkline_delivery_attempt_duration_seconds_count', { outcome: 'failed' }, 1);

    const refusal = await test.call('POST', '/v1/messages', { from: LINE, to: '+15550109988', text: 'Stranger' });
    expect(refusal.status).toBeGreaterThanOrEqual(400);
    expect((await fetch(`${address}/no/such/path/+15550109999`)).status).toBe(404);
    const text = await page();
    expect(valueIn(text, 'trunkline_sends_accepted_total')).toBe(3);
    expect(valueIn(text, 'trunkline_events_appended_total')).toBeGreaterThanOrEqual(3);
    expect(valueIn(text, 'trunkline_commit_duration_seconds_count', { outcome: 'committed' })).toBeGreaterThan(3);
    const requests = 'trunkline_http_request_duration_seconds_count';
    const sends = { route: '/v1/messages', method: 'POST' };
    expect(valueIn(text, requests, { ...sends, status: '2xx' })).toBe(3);
    expect(valueIn(text, requests, { ...sends, status: '4xx' })).toBe(1);
    expect(valueIn(text, requests, { route: 'unmatched', method: 'GET', status: '4xx' })).toBe(1);
    expect(valueIn(text, 'trunkline_database_up')).toBe(1);
    // What nobody waits for is written a moment later.
    await until('trunkline_writer_queue_items', {}, 0);
    const wal = valueIn(text, 'trunkline_sqlite_wal_bytes');
    if (engine === 'sqlite') expect(wal).toBeGreaterThan(0);
    else expect(wal).toBeUndefined();
  });

  it('shows what waits, and for how long, while a line is offline', async () => {
    await until('trunkline_lines', { state: 'online' }, 2);
    await test.call('POST', '/simulator/v1/faults', { line: LINE, offline: true });
    await until('trunkline_lines', { state: 'offline' }, 1);
    for (const text of ['One', 'Two', 'Three']) await test.send(text);
    await until('trunkline_outbox_items', { state: 'pending' }, 3);
    await waitFor(
      async () => Number(valueIn(await page(), 'trunkline_outbox_oldest_pending_seconds')) > 1 || undefined,
      'an age',
    );
    await test.call('DELETE', '/simulator/v1/faults', { line: LINE });
    await until('trunkline_outbox_items', { state: 'pending' }, 0);
    await until('trunkline_outbox_oldest_pending_seconds', {}, 0);
    receiver.behave(answers(500));
    await test.webhook(receiver.url, ['message.received']);
    await test.text('Fails');
    await until('trunkline_deliveries_waiting', { state: 'retry' }, 1);
  });

  it('counts open streams, and does not take their length for a slow answer', async () => {
    const reader = await readEvents(address);
    await until('trunkline_event_streams_open', {}, 1);
    reader.cut();
    await until('trunkline_event_streams_open', {}, 0);
    expect(await page()).not.toContain('/v1/events');
  });

  it('changes nothing of what it watches: a repeat is still a repeat', async () => {
    const body = { from: LINE, to: PHONE, text: 'Once' };
    const headers = { 'idempotency-key': 'the same' };
    const first = await test.call('POST', '/v1/messages', body, { headers });
    const again = await test.call('POST', '/v1/messages', body, { headers });
    expect([first.status, again.status, again.body['id']]).toEqual([201, 201, first.body['id']]);
    expect(valueIn(await page(), 'trunkline_sends_accepted_total')).toBe(1);
  });

  it('says nothing about anybody', async () => {
    await test.webhook(receiver.url, ['message.sent']);
    await test.settled(await test.send('Confidential words'));
    await test.call('GET', `/simulator/v1/phones/${encodeURIComponent(PHONE)}/messages`);
    const text = await page();
    expect(text).toContain('route="/simulator/v1/phones/:handle/messages"');
    expect(text).not.toMatch(
      /\d{7,}@|\+1555|1555\d{7}|Confidential|sk_live|\b(?:obx|msg|acc|ln|key|wh|cht)_[0-9a-z]{8}/,
    );
  });
});

describe('the metrics', () => {
  it('are not served unless they are asked for', async () => {
    const test = await startTestServer('sqlite');
    const answer = await test.call('GET', '/metrics');
    expect([answer.status, answer.body['error']]).toMatchObject([404, { code: 'route_not_found' }]);
    await test.stop();
  });

  it('are those of the reference page, and no other', async () => {
    const stage = await openStage('sqlite');
    const metrics = createMetrics({ clock: systemClock, walFile: '/none' });
    const writer = createWriter(metrics.watchEngine(stage.engine), stage.ids);
    metrics.watchWriter(writer);
    const text = readFileSync(new URL('../../../docs/reference/metrics.md', import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| `(trunkline_\w+)` \| (\w+) \| (.*?) \| (.*\.) \|$/gm)];
    const listed = rows.map(([, name = '', type = '']) => [name, type]).sort();
    expect(listed).toEqual([...(await metrics.names())].sort());
    await stage.close();
  });
});
