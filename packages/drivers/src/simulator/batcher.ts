/**
 * Group commit: what is asked for while one batch is being written goes into the next.
 *
 * A batch that fails fails for everyone in it and is not tried again in parts: a commit whose answer was lost may have
 * happened, and a second try would put its messages on the air twice.
 */
export function createBatcher<Item, Result>(
  batchMax: number,
  write: (items: readonly Item[]) => Promise<readonly Result[]>,
): (item: Item) => Promise<Result> {
  interface Waiting {
    readonly item: Item;
    readonly answer: PromiseWithResolvers<Result>;
  }
  let queue: Waiting[] = [];
  let writing = false;

  async function drain(): Promise<void> {
    writing = true;
    // What is asked for in the same turn of the loop shares the first batch.
    await Promise.resolve();
    while (queue.length > 0) {
      const batch = queue.slice(0, batchMax);
      queue = queue.slice(batchMax);
      await writeBatch(batch);
    }
    writing = false;
  }

  async function writeBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await write(batch.map((waiting) => waiting.item));
      for (const [index, waiting] of batch.entries()) {
        const result = results[index];
        if (result === undefined) waiting.answer.reject(new Error('The batch gave no answer for this item.'));
        else waiting.answer.resolve(result);
      }
    } catch (error) {
      for (const waiting of batch) waiting.answer.reject(error);
    }
  }

  return (item) => {
    const answer = Promise.withResolvers<Result>();
    queue.push({ item, answer });
    if (!writing) void drain();
    return answer.promise;
  };
}
