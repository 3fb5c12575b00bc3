/** The writer: concurrent writes share a commit, a bad one harms nobody else, and too many are refused in time. */
import { describe, expect, it } from 'vitest';
import { createIds } from '../src/domain/ids.ts';
import { type Engine, StorageUnavailableError, statement } from '../src/store/database.ts';
import { createWriter, type Write, WriterOverloadedError } from '../src/store/writer.ts';
import { ENGINES } from './harness.ts';
import { openStage, type Stage } from './stage.ts';

const insert = statement({ name: 'text' }, "insert into installation (name, value) values (i.name, '')");

/** Throws on the item that is called `bad`, as a statement does that its table refuses. */
const remember: Write<string, string> = {
  name: 'remember',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx, wake }, names) {
    for (const name of names) {
      await tx.one(insert, { name });
      wake(`remembered ${name}`);
    }
    if (names.includes('bad')) throw new Error('One item is bad.');
    return names.map((name) => `${name} is kept`);
  },
};
const accept: Write<string, string> = { ...remember, name: 'accept', kind: 'accept' };

/** The stage's writer with a count of its commits, each with how many rows it brought. */
function counting(stage: Stage) {
  const commits: number[] = [];
  let failure: unknown = null;
  const engine: Engine = {
    ...stage.engine,
    async commit(run) {
      let rows = 0;
      const value = await stage.engine.commit((tx) =>
        run({
          ...tx,
          each: (text, items) => tx.each(text, items),
          one: (text, item) => {
            rows++;
            return tx.one(text, item);
          },
        }),
      );
      if (failure !== null) throw failure;
      commits.push(rows);
      return value;
    },
  };
  return {
    commits,
    writer: createWriter(
      engine,
      createIds(stage.now, (size) => new Uint8Array(size)),
    ),
    failWith(error: unknown) {
      failure = error;
    },
  };
}

async function kept(stage: Stage): Promise<string[]> {
  const rows = await stage.engine.query.selectFrom('installation').select('name').orderBy('name').execute();
  return rows.map((row) => row.name);
}

describe.each(ENGINES)('the writer on %s', (engine) => {
  it('shares one commit among writes that come together', async () => {
    const stage = await openStage(engine);
    const { writer, commits } = counting(stage);
    const names = Array.from({ length: 100 }, (_, index) => `item ${index}`);
    const results = await Promise.all(names.map((name) => writer.write(remember, name)));
    expect(results).toEqual(names.map((name) => `${name} is kept`));
    expect(commits).toEqual([100]);
    await stage.close();
  });

  it('answers after the commit and not before', async () => {
    const stage = await openStage(engine);
    const { writer } = counting(stage);
    await writer.write(remember, 'A');
    expect(await kept(stage)).toEqual(['A']);
    await stage.close();
  });

  it('finds the one that fails and commits the others, which wake their listeners once', async () => {
    const stage = await openStage(engine);
    const { writer } = counting(stage);
    const woken: string[] = [];
    stage.engine.onWake((topic) => woken.push(topic));
    const names = ['a', 'b', 'c', 'bad', 'd', 'e', 'f'];
    const results = await Promise.allSettled(names.map((name) => writer.write(remember, name)));
    expect(results.map((result) => result.status)).toEqual(
      names.map((name) => (name === 'bad' ? 'rejected' : 'fulfilled')),
    );
    const good = names.filter((name) => name !== 'bad');
    expect(await kept(stage)).toEqual(good);
    expect(woken.sort()).toEqual(good.map((name) => `remembered ${name}`));
    await stage.close();
  });

  it('lets a row that the database refuses harm nobody else', async () => {
    const stage = await openStage(engine);
    const { writer } = counting(stage);
    await writer.write(remember, 'there already');
    const names = ['a', 'there already', 'b'];
    const results = await Promise.allSettled(names.map((name) => writer.write(remember, name)));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await kept(stage)).toEqual(['a', 'b', 'there already']);
    await stage.close();
  });

  it('refuses all when the disk fails, because nobody in the batch is to blame', async () => {
    const stage = await openStage(engine);
    const { writer, commits, failWith } = counting(stage);
    failWith(new StorageUnavailableError(new Error('disk full')));
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => writer.write(remember, name)));
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'StorageUnavailableError' } });
    }
    expect(commits).toEqual([]);
    failWith(null);
    expect(await writer.write(remember, 'd')).toBe('d is kept');
    await stage.close();
  });

  it('is idle when nothing is queued or under way', async () => {
    const stage = await openStage(engine);
    const { writer } = counting(stage);
    await writer.idle();
    const writing = writer.write(remember, 'A');
    expect(writer.queued()).toBe(1);
    await writer.idle();
    expect(await kept(stage)).toEqual(['A']);
    expect(writer.queued()).toBe(0);
    await writing;
    await stage.close();
  });
});

/** An engine that writes nothing and commits when the test lets it. */
function slowEngine(kind: Engine['kind']) {
  const batches: string[][] = [];
  let release: () => void = () => undefined;
  let gate = Promise.resolve();
  const unused = () => Promise.reject(new Error('Not for this test.'));
  const engine: Engine = {
    kind,
    get query(): never {
      throw new Error('Not for this test.');
    },
    read: unused,
    readEach: unused,
    async commit(run) {
      await gate;
      const names: string[] = [];
      const { value } = await run({
        process: 'test',
        isAlive: async () => true,
        atCommit: () => undefined,
        changed: unused,
        each: unused,
        one: async (_statement, item) => {
          names.push(String(item['name']));
          return [];
        },
      });
      batches.push(names);
      return value;
    },
    onWake: () => () => undefined,
    wake: () => undefined,
    ping: unused,
    close: unused,
  };
  const hold = () => {
    gate = new Promise((resolve) => {
      release = resolve;
    });
  };
  return { engine, batches, hold, release: () => release() };
}

describe('the writer under load', () => {
  const ids = createIds(
    () => 0,
    (size) => new Uint8Array(size),
  );

  it('lets accepts give way to outcomes while both wait', async () => {
    const { engine, batches } = slowEngine('sqlite');
    const writer = createWriter(engine, ids);
    const accepts = Array.from({ length: 600 }, (_, index) => writer.write(accept, `accept ${index}`));
    const outcomes = Array.from({ length: 10 }, (_, index) => writer.write(remember, `outcome ${index}`));
    await Promise.all([...accepts, ...outcomes]);
    const [first = [], second = []] = batches;
    expect(first.filter((name) => name.startsWith('outcome'))).toHaveLength(10);
    expect(first.filter((name) => name.startsWith('accept'))).toHaveLength(96);
    expect(second).toHaveLength(192);
    expect(batches.flat().filter((name) => name.startsWith('accept'))).toEqual(
      accepts.map((_, index) => `accept ${index}`),
    );
  });

  it('lets a few accepts pass a backlog of outcomes in a small batch', async () => {
    const { engine, batches } = slowEngine('sqlite');
    const writer = createWriter(engine, ids);
    const outcomes = Array.from({ length: 600 }, (_, index) => writer.write(remember, `outcome ${index}`));
    const accepts = Array.from({ length: 4 }, (_, index) => writer.write(accept, `accept ${index}`));
    await Promise.all([...accepts, ...outcomes]);
    const [first = [], second = []] = batches;
    expect(first.filter((name) => name.startsWith('accept'))).toHaveLength(4);
    expect(first).toHaveLength(52);
    expect(second).toHaveLength(192);
  });

  it('refuses accepts beyond its bound before any work, and never an outcome', async () => {
    const { engine, hold, release } = slowEngine('postgres');
    const writer = createWriter(engine, ids);
    hold();
    const accepts = Array.from({ length: 5_000 }, (_, index) => writer.write(accept, `accept ${index}`));
    await expect(writer.write(accept, 'one too many')).rejects.toThrow(WriterOverloadedError);
    const outcomes = Array.from({ length: 6_000 }, (_, index) => writer.write(remember, `outcome ${index}`));
    release();
    await Promise.all([...accepts, ...outcomes]);
    expect(await writer.write(accept, 'now there is room')).toBe('now there is room is kept');
  });

  it('refuses a write that does not answer each of its items', async () => {
    const { engine } = slowEngine('sqlite');
    const writer = createWriter(engine, ids);
    const silent: Write<string, string> = { ...remember, name: 'silent', run: async () => [] };
    await expect(writer.write(silent, 'A')).rejects.toThrow('The write silent gave 0 results for 1 items.');
  });

  it('opens as many batches of a write at once as it says, on an engine with many writers', async () => {
    for (const [kind, concurrency, expected] of [
      ['postgres', 2, 2],
      ['postgres', 1, 1],
      ['sqlite', 2, 1],
    ] as const) {
      let open = 0;
      let most = 0;
      const slow: Write<number, number> = {
        name: 'slow',
        kind: 'outcome',
        concurrency,
        async run(_batch, items) {
          open++;
          most = Math.max(most, open);
          await new Promise((resolve) => setImmediate(resolve));
          open--;
          return items;
        },
      };
      const writer = createWriter(slowEngine(kind).engine, ids);
      await Promise.all(Array.from({ length: 2_000 }, (_, index) => writer.write(slow, index)));
      expect(most).toBe(expected);
    }
  });
});

describe('two batches that wait for each other on postgres', () => {
  const touch = statement({ name: 'text' }, "update installation set value = value || '+' where name = i.name");

  it('are both committed: the one that is undone is run again', async () => {
    const stage = await openStage('postgres');
    const { writer, commits } = counting(stage);
    await Promise.all(['a', 'b'].map((name) => writer.write(remember, name)));
    const holds: Record<string, () => void> = {};
    const held = ['a', 'b'].map((name) => new Promise<void>((resolve) => (holds[name] = resolve)));
    const runs: string[] = [];
    const crossing = (first: string, second: string): Write<null, null> => ({
      name: `${first} then ${second}`,
      kind: 'outcome',
      concurrency: 1,
      async run({ tx }) {
        runs.push(first);
        await tx.one(touch, { name: first });
        holds[first]?.();
        await Promise.all(held);
        await tx.one(touch, { name: second });
        return [null];
      },
    });
    await Promise.all([writer.write(crossing('a', 'b'), null), writer.write(crossing('b', 'a'), null)]);
    expect(runs).toHaveLength(3);
    expect(commits).toEqual([2, 2, 2]);
    const rows = await stage.engine.query.selectFrom('installation').select('value').execute();
    expect(rows).toEqual([{ value: '++' }, { value: '++' }]);
    await stage.close();
  });
});
