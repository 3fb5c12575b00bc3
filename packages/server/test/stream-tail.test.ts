/** A stream and the tail that feeds it, with a clock and a socket that do as the test says. */
import { describe, expect, it } from 'vitest';
import { type Sink, startStream, type View } from '../src/events/stream.ts';
import { startTail } from '../src/events/tail.ts';
import type { Engine, Row } from '../src/store/database.ts';
import { parseEvents } from './event-reader.ts';
import { createFakeClock } from './fake-clock.ts';

const EPOCH = 'e';
const VIEW: View = { accountRef: 1, scopes: new Set(['messages:read']), lineRefs: null };
const LIMIT_BYTES = 256 * 1024;

/** An event log in memory that answers what the tail and the streams ask. */
function createLog() {
  const rows: Row[] = [];
  const listeners = new Set<(topic: string) => void>();
  const reads: string[] = [];
  let gate: Promise<void> = Promise.resolve();
  const read = async (sql: string, item: Row): Promise<Row[]> => {
    reads.push(sql.includes('account_ref = i.') ? 'page' : sql.includes('max(seq)') ? 'bounds' : 'tail');
    const newest = Number(rows.at(-1)?.['seq'] ?? 0);
    if (sql.includes('max(seq)')) {
      await gate;
      const now = Number(rows.at(-1)?.['seq'] ?? 0);
      return [{ oldest: Math.min(1, now), newest: now }];
    }
    const until = Number(item['until'] ?? newest);
    return rows
      .filter((row) => Number(row['seq']) > Number(item['seq']) && Number(row['seq']) <= until)
      .slice(0, Number(item['max']));
  };
  const engine = {
    read: (statement: { sql: string }, item: Row) => read(statement.sql, item),
    onWake(listener: (topic: string) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as Engine;
  return {
    engine,
    reads,
    /** Holds back the answers to questions for the log's ends, until the returned function is called. */
    holdBounds(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    append(count: number, text = '', isHeard = true): void {
      for (let index = 0; index < count; index++) {
        const seq = rows.length + 1;
        const data = JSON.stringify({ seq, text });
        rows.push({ seq, account_ref: 1, line_ref: 1, type: 'message.received', data, created_at: 1 });
      }
      if (isHeard) for (const listener of listeners) listener('events');
    },
  };
}

/** A socket whose other end takes what it is told to. */
function createSink() {
  let text = '';
  let unsent = 0;
  let most = 0;
  let isStuck = false;
  let isEnded = false;
  let drained: () => void = () => undefined;
  const sink: Sink = {
    write(chunk) {
      text += chunk;
      if (isStuck) unsent += chunk.length;
      most = Math.max(most, unsent);
    },
    unsent: () => unsent,
    onDrained(callback) {
      if (isStuck) drained = callback;
      else callback();
    },
    end() {
      isEnded = true;
    },
  };
  return {
    sink,
    text: () => text,
    seqs: () => parseEvents(text).map((event) => Number(event.data['seq'])),
    isEnded: () => isEnded,
    most: () => most,
    stick: () => {
      isStuck = true;
    },
    drain: () => {
      isStuck = false;
      unsent = 0;
      drained();
    },
  };
}

async function stage(view: () => Promise<View | null> = async () => VIEW) {
  const log = createLog();
  const clock = createFakeClock();
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const tail = await startTail(log.engine, clock, onError);
  const deps = {
    engine: log.engine,
    clock,
    tail,
    epoch: EPOCH,
    onError,
    sharedLine: { is: () => false, chatOf: async () => null },
  };
  const open = (after: number) => {
    const socket = createSink();
    const stream = startStream(deps, { lineRef: null, types: null, after, view }, VIEW, socket.sink);
    return { ...socket, stream };
  };
  return { log, clock, tail, open, errors };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('a stream', () => {
  it('writes a comment every 15 s while nothing happens, and nothing after its end', async () => {
    const { clock, open } = await stage();
    const one = open(0);
    expect(one.text()).toBe(': connected\n\n');
    await clock.advance(14_900);
    expect(one.text()).toBe(': connected\n\n');
    await clock.advance(200);
    expect(one.text()).toBe(': connected\n\n: heartbeat\n\n');
    await clock.advance(60_000);
    expect(one.text().match(/heartbeat/g)).toHaveLength(5);
    one.stream.close();
    expect(one.isEnded()).toBe(true);
    const length = one.text().length;
    await clock.advance(60_000);
    expect(one.text()).toHaveLength(length);
  });

  it('gathers what happens within a moment into one write', async () => {
    const { log, clock, open } = await stage();
    let writes = 0;
    const one = open(0);
    const { write } = one.sink;
    one.sink.write = (chunk) => {
      writes++;
      write(chunk);
    };
    log.append(100);
    await clock.advance(10);
    expect(writes).toBe(0);
    await clock.advance(20);
    expect(writes).toBe(1);
    expect(one.seqs()).toEqual(upTo(100));
  });

  it('catches up by pages from far behind and joins the tail without a gap', async () => {
    const { log, clock, tail, open } = await stage();
    log.append(1_234);
    await tail.current();
    const one = open(0);
    log.append(10);
    await clock.advance(50);
    log.append(10);
    await clock.advance(50);
    expect(one.seqs()).toEqual(upTo(1_254));
  });

  it('that is read too slowly leaves the tail, holds little, and catches up without loss', async () => {
    const { log, clock, open } = await stage();
    const [slow, quick] = [open(0), open(0)];
    await clock.advance(50);
    slow.stick();
    for (let round = 0; round < 100; round++) {
      log.append(10, 'x'.repeat(2_000));
      await clock.advance(30);
    }
    expect(quick.seqs()).toEqual(upTo(1_000));
    expect(slow.most()).toBeGreaterThan(LIMIT_BYTES);
    expect(slow.most()).toBeLessThan(LIMIT_BYTES + 200 * 2_200);
    expect(slow.seqs().length).toBeLessThan(400);
    slow.drain();
    await clock.advance(100);
    log.append(1);
    await clock.advance(100);
    expect(slow.seqs()).toEqual(upTo(1_001));
    expect(log.reads.filter((one) => one === 'page').length).toBeGreaterThan(1);
  });

  it('ends when its key is gone, and when its key cannot be looked up', async () => {
    let answer: () => Promise<View | null> = async () => VIEW;
    const { clock, open, errors } = await stage(() => answer());
    const one = open(0);
    await clock.advance(5_000);
    expect(one.isEnded()).toBe(false);
    answer = async () => null;
    await clock.advance(1_000);
    expect(one.isEnded()).toBe(true);
    const two = open(0);
    answer = () => Promise.reject(new Error('away'));
    await clock.advance(1_000);
    expect([two.isEnded(), errors.length]).toEqual([true, 1]);
  });

  it('narrows with its key within a second', async () => {
    let view: View = VIEW;
    const { log, clock, open } = await stage(async () => view);
    const one = open(0);
    log.append(1);
    await clock.advance(50);
    view = { ...VIEW, lineRefs: new Set([2]) };
    await clock.advance(1_000);
    log.append(1);
    await clock.advance(50);
    view = { ...VIEW, scopes: new Set() };
    await clock.advance(1_000);
    log.append(1);
    await clock.advance(50);
    view = VIEW;
    await clock.advance(1_000);
    log.append(1);
    await clock.advance(50);
    expect(one.seqs()).toEqual([1, 4]);
  });
});

describe('the tail', () => {
  it('reads the log once for all streams, and not at all for none', async () => {
    const { log, clock, open } = await stage();
    log.reads.length = 0;
    log.append(1);
    await clock.advance(3_000);
    expect(log.reads).toEqual([]);
    const all = Array.from({ length: 20 }, () => open(0));
    await clock.advance(50);
    log.reads.length = 0;
    log.append(1);
    await clock.advance(50);
    expect(log.reads.filter((one) => one === 'tail').length).toBeLessThanOrEqual(2);
    for (const one of all) expect(one.seqs()).toEqual([1, 2]);
  });

  it('loses nothing while another stream is just being opened', async () => {
    const { log, clock, tail, open } = await stage();
    // One request asks where the log ends. While it waits, another stream opens and events are committed, which the
    // answer knows of before the tail is woken for them.
    const answer = log.holdBounds();
    const asking = tail.current();
    const one = open(0);
    await clock.advance(1);
    log.append(3, '', false);
    answer();
    expect(await asking).toBe(3);
    await clock.advance(1_100);
    log.append(1);
    await clock.advance(100);
    expect(one.seqs()).toEqual([1, 2, 3, 4]);
  });

  it('finds what it was not woken for', async () => {
    const { log, clock, open, tail } = await stage();
    const one = open(0);
    await clock.advance(50);
    log.append(2, '', false);
    await clock.advance(500);
    await clock.advance(600);
    expect(one.seqs()).toEqual([1, 2]);
    await tail.close();
    log.append(1);
    await clock.advance(2_000);
    expect(one.seqs()).toEqual([1, 2]);
  });
});
