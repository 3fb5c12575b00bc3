import { describe, expect, it } from 'vitest';
import { createBatcher } from './batcher.ts';

const BATCH_MAX = 3;

function createRecorder() {
  const batches: (readonly number[])[] = [];
  let underWay = 0;
  const write = async (items: readonly number[]): Promise<readonly number[]> => {
    underWay += 1;
    expect(underWay).toBe(1);
    batches.push(items);
    await new Promise(setImmediate);
    underWay -= 1;
    if (items.includes(13)) throw new Error('The disk is full.');
    return items.map((item) => item * 2);
  };
  return { batches, ask: createBatcher(BATCH_MAX, write) };
}

describe('createBatcher', () => {
  it('writes what waits in bounded batches, in order, one at a time', async () => {
    const { batches, ask } = createRecorder();
    const first = [1, 2, 3, 4, 5].map(ask);
    await new Promise(setImmediate);
    const second = [6, 7].map(ask);
    expect(await Promise.all([...first, ...second])).toEqual([2, 4, 6, 8, 10, 12, 14]);
    expect(batches.flat()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(BATCH_MAX);
  });

  it('fails everybody in a batch that fails, tries nothing again, and goes on', async () => {
    const { batches, ask } = createRecorder();
    const outcomes = await Promise.allSettled([1, 13, 3, 4].map(ask));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
    expect(batches).toEqual([[1, 13, 3], [4]]);
    expect(await ask(5)).toBe(10);
  });
});
