/** An engine that remembers which statements it was asked to run, whatever function of the store asked. */
import type { KyselyPlugin } from 'kysely';
import type { Engine, Row, Statement, Tx } from '../src/store/database.ts';

/** A statement of the store with its items, or what the query builder made. */
export type Recorded =
  | { readonly kind: 'one' | 'each'; readonly statement: Statement; readonly items: readonly Row[] }
  | { readonly kind: 'built'; readonly sql: string; readonly parameters: readonly unknown[] };

export interface Recorder {
  readonly engine: Engine;
  /** What was run since this was last asked. */
  take(): readonly Recorded[];
}

export function recordStatements(engine: Engine): Recorder {
  let recorded: Recorded[] = [];
  const note = (kind: 'one' | 'each', statement: Statement, items: readonly Row[]) => {
    if (items.length > 0) recorded.push({ kind, statement, items });
  };
  const builder: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      const { sql, parameters } = engine.query.getExecutor().compileQuery(node, queryId);
      recorded.push({ kind: 'built', sql, parameters });
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const recordingTx = (tx: Tx): Tx => ({
    ...tx,
    each(statement, items) {
      note('each', statement, items);
      return tx.each(statement, items);
    },
    changed(statement, items) {
      note('each', statement, items);
      return tx.changed(statement, items);
    },
    one(statement, item) {
      note('one', statement, [item]);
      return tx.one(statement, item);
    },
  });
  return {
    engine: {
      ...engine,
      query: engine.query.withPlugin(builder),
      read(statement, item) {
        note('one', statement, [item]);
        return engine.read(statement, item);
      },
      readEach(statement, items) {
        note('each', statement, items);
        return engine.readEach(statement, items);
      },
      commit: (run) => engine.commit((tx) => run(recordingTx(tx))),
    },
    take() {
      const taken = recorded;
      recorded = [];
      return taken;
    },
  };
}
