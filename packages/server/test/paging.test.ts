/** Pages of chats and messages: whoever walks a list sees each row that was there once, whatever arrives meanwhile. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, expectStatus, LINE, startTestServer, type TestServer } from './harness.ts';

interface Row {
  readonly id: string;
  readonly text?: string;
}

describe.each(ENGINES)('pages on %s', (engine) => {
  let test: TestServer;
  let phones = 0;

  beforeAll(async () => {
    test = await startTestServer(engine);
  });
  afterAll(() => test.stop());

  const from = encodeURIComponent(LINE);
  const newPhone = () => `+1555011${String(phones++).padStart(4, '0')}`;

  /** Many at once, so that some share their millisecond; resolves when the last one is in. */
  const texts = async (phone: string, count: number) => {
    await Promise.all(
      Array.from({ length: count }, (_, index) =>
        test.server.network?.text({ from: phone, to: LINE, text: `${index}` }),
      ),
    );
    return test.text('last', phone);
  };

  const walk = async (path: string, limit: number, meanwhile: () => Promise<unknown>): Promise<Row[]> => {
    const rows: Row[] = [];
    let cursor: unknown = null;
    do {
      const next = cursor === null ? '' : `&cursor=${encodeURIComponent(String(cursor))}`;
      const { body } = expectStatus(200, await test.call('GET', `${path}&limit=${limit}${next}`));
      const page = body['data'] as Row[];
      expect(page.length).toBeLessThanOrEqual(limit);
      rows.push(...page);
      cursor = body['next_cursor'];
      expect(body['has_more'] ?? cursor !== null).toBe(cursor !== null);
      await meanwhile();
    } while (cursor !== null);
    return rows;
  };

  it('give each message of a chat once, newest first, while more arrive', async () => {
    const runs = fc.asyncProperty(
      fc.integer({ min: 1, max: 7 }),
      fc.nat(12),
      fc.nat(2),
      async (limit, count, arrive) => {
        const phone = newPhone();
        const { chatId } = await texts(phone, count);
        const path = `/v1/messages?from=${from}&to=${chatId}`;
        const all = await walk(path, 100, async () => undefined);
        expect(all).toHaveLength(count + 1);
        const rows = await walk(path, limit, async () => {
          for (let index = 0; index < arrive; index++) await test.text('later', phone);
        });
        expect(rows.map((row) => row.id)).toEqual(all.map((row) => row.id));
      },
    );
    await fc.assert(runs, { numRuns: 8 });
  });

  it('give each chat of a line once, latest activity first, while others open', async () => {
    for (let index = 0; index < 9; index++) await test.text('Hello', newPhone());
    const path = `/v1/chats?from=${from}`;
    const all = await walk(path, 100, async () => undefined);
    for (const limit of [1, 3, 4]) {
      const seen = await walk(path, limit, () => test.text('Hello', newPhone()));
      const before = new Set(all.map((row) => row.id));
      expect(seen.filter((row) => before.has(row.id)).map((row) => row.id)).toEqual(all.map((row) => row.id));
      expect(new Set(seen.map((row) => row.id)).size).toBe(seen.length);
    }
  });

  it('move a chat to the front when somebody writes in it', async () => {
    const [early, late] = [newPhone(), newPhone()];
    const first = await test.text('Hello', early);
    const second = await test.text('Hello', late);
    const order = async () => (await walk(`/v1/chats?from=${from}`, 50, async () => undefined)).map((row) => row.id);
    expect((await order()).slice(0, 2)).toEqual([second.chatId, first.chatId]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await test.text('Again', early);
    expect((await order()).slice(0, 2)).toEqual([first.chatId, second.chatId]);
  });

  it('refuse the cursor of another chat', async () => {
    const one = await texts(newPhone(), 3);
    const other = await texts(newPhone(), 3);
    const { body } = await test.call('GET', `/v1/messages?from=${from}&to=${one.chatId}&limit=1`);
    const cursor = encodeURIComponent(String(body['next_cursor']));
    const answer = await test.call('GET', `/v1/messages?from=${from}&to=${other.chatId}&limit=1&cursor=${cursor}`);
    expect(answer).toMatchObject({ status: 400 });
    expect(JSON.stringify(answer.body)).toContain('"cursor"');
  });
});
