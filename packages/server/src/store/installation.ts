/** Facts about this installation that are drawn once and kept. */
import { type Engine, type Statement, statement } from './database.ts';

const remember = statement(
  { name: 'text', value: 'text' },
  'insert into installation (name, value) values (i.name, i.value) on conflict (name) do nothing',
);
const replace = statement(
  { name: 'text', value: 'text' },
  'update installation set value = i.value where name = i.name',
);
const recall = statement({ name: 'text' }, 'select value from installation where name = i.name');

const anySecret = statement(
  {},
  `select 1 as found where exists (select 1 from webhooks where deleted_at is null and secret like 'sealed%')
     or exists (select 1 from accounts where webhook_secret is not null)
     or exists (select 1 from kept_answers where body like 'sealed%')
     or exists (select 1 from unanswered where answers like '%sealed1:%')
     or exists (select 1 from lost_answers where body like 'sealed%')`,
);

/** The value kept under the name; the first one offered is kept. */
export async function keepFirst(engine: Engine, name: string, offered: string): Promise<string> {
  await run(engine, remember, { name, value: offered });
  const [row] = await engine.read(recall, { name });
  return String(row?.['value'] ?? offered);
}

export function replaceFact(engine: Engine, name: string, value: string): Promise<void> {
  return run(engine, replace, { name, value });
}

/** Whether anything is stored that only the installation's secret key opens. */
export async function hasSecrets(engine: Engine): Promise<boolean> {
  return (await engine.read(anySecret, {})).length > 0;
}

async function run(engine: Engine, what: Statement, item: { name: string; value: string }): Promise<void> {
  await engine.commit(async (tx) => {
    await tx.one(what, item);
    return { value: null, log: [], topics: [] };
  });
}
