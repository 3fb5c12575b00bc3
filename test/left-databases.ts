/** Removes the databases that tests have left, beside the tests, one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const LOOK_EVERY_MS = 250;
/** One that nobody may enter any more (see `createTestDatabase`), the newest: whoever asks after one waits for no others. */
const LEFT =
  "select datname from pg_database where datname like 'test\\_%' and not datallowconn order by oid desc limit 1";

/** Gives what ends it. The databases that are then still there go with the server. */
export async function removeLeftDatabases(adminUrl: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  let isOn = true;
  const removing = (async () => {
    while (isOn) if (!(await removeOne(client))) await sleep(LOOK_EVERY_MS);
  })();
  // Whoever ends it is told of a failure.
  removing.catch(() => undefined);
  return async () => {
    isOn = false;
    await removing.finally(() => client.end());
  };
}

async function removeOne(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ datname: string }>(LEFT);
  for (const { datname } of rows) await client.query(`drop database if exists ${datname} with (force)`);
  return rows.length > 0;
}
