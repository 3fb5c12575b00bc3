/** Facts about this installation that are drawn once and kept. */
import { type Engine, statement } from './database.ts';

const remember = statement(
  { name: 'text', value: 'text' },
  'insert into installation (name, value) values (i.name, i.value) on conflict (name) do nothing',
);
const recall = statement({ name: 'text' }, 'select value from installation where name = i.name');

/** The value kept under the name; the first one offered is kept. */
export async function keepFirst(engine: Engine, name: string, offered: string): Promise<string> {
  await engine.commit(async (tx) => {
    await tx.one(remember, { name, value: offered });
    return { value: null, log: [], topics: [] };
  });
  const [row] = await engine.read(recall, { name });
  return String(row?.['value'] ?? offered);
}
