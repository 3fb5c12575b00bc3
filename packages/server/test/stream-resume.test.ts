/** Nothing is lost on the stream and nothing is shown twice, however often a reader is cut off, and however slow it is. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EventReader, readEvents, type StreamedEvent } from './event-reader.ts';
import { ENGINES, LINE, startTestServer, type TestServer, waitFor } from './harness.ts';

const PHONES = ['+15550107601', '+15550107602', '+15550107603'];

/** The same numbers in every run: a failure can be looked at again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe.each(ENGINES)('the stream on %s', (engine) => {
  let test: TestServer;
  let address: string;

  beforeEach(async () => {
    test = await startTestServer(engine);
    address = String(await test.server.listen());
  });
  afterEach(() => test.stop());

  const text = (number: number, body = '') => {
    const from = PHONES[number % PHONES.length] ?? '';
    return test.server.network?.text({ from, to: LINE, text: `${number}${body}` });
  };
  const logged = async () =>
    (await test.server.engine.query.selectFrom('events').select('seq').orderBy('seq').execute()).map((row) => row.seq);
  const seqOf = (event: StreamedEvent) => Number(event.id.split('.')[1]);

  it.each([1, 2, 3])('is whole for a reader that is cut off again and again (seed %i)', async (seed) => {
    const random = randomFrom(seed);
    const count = 150;
    const whole = await readEvents(address);
    const before = (await logged()).at(-1) ?? 0;
    const writing = (async () => {
      for (let number = 0; number < count; ) {
        const burst = Math.min(count - number, 1 + Math.floor(random() * 20));
        await Promise.all(Array.from({ length: burst }, (_, index) => text(number + index)));
        number += burst;
        await new Promise((resolve) => setTimeout(resolve, random() * 15));
      }
    })();
    const first = await waitFor(() => whole.events()[0], 'a first event');
    const seen: StreamedEvent[] = [first];
    let cuts = 0;
    while (seen.length < count) {
      const last = String(seen.at(-1)?.id);
      const resumed = cuts % 2 === 0 ? { lastEventId: last } : { query: `after=${last}` };
      const reader = await readEvents(address, resumed);
      expect(reader.status).toBe(200);
      const enough = Math.min(count - seen.length, 1 + Math.floor(random() * 30));
      await waitFor(() => reader.events().length >= enough || undefined, `${enough} events more`);
      reader.cut();
      seen.push(...reader.events());
      cuts++;
    }
    await writing;
    expect(cuts).toBeGreaterThan(3);
    expect(seen.map(seqOf)).toEqual((await logged()).filter((seq) => seq > before));
    expect(new Set(seen.map((event) => event.data['guid'])).size).toBe(count);
    await waitFor(() => whole.events().length === count || undefined, 'the reader that was never cut');
    expect(whole.events()).toEqual(seen);
    whole.cut();
  });

  it('is whole for a reader that takes nothing for a while, and others do not wait for it', async () => {
    const count = engine === 'sqlite' ? 600 : 100;
    const readers: EventReader[] = [await readEvents(address), await readEvents(address)];
    const [slow, quick] = readers;
    slow?.pause();
    await Promise.all(Array.from({ length: count }, (_, number) => text(number, 'x'.repeat(19_000))));
    await waitFor(() => quick?.events().length === count || undefined, 'the quick reader');
    expect(slow?.events().length).toBeLessThan(count);
    slow?.resume();
    await waitFor(() => slow?.events().length === count || undefined, 'the slow reader');
    expect(slow?.events().map(seqOf)).toEqual(quick?.events().map(seqOf));
    await test.text('Live again', PHONES[0]);
    for (const reader of readers) {
      await waitFor(
        () => reader.events().some((event) => event.data['text'] === 'Live again') || undefined,
        'the tail',
      );
      expect(reader.events()).toHaveLength(count + 1);
      reader.cut();
    }
  });
});
