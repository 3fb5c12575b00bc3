/** Removes the databases that tests have left, beside the tests, one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const LOOK_EVERY_MS = 250;
/** How the name of a database begins that nobody needs or may enter any more: see `createTestDatabase`. */
export const LEFT = 'left';
const FIND = `select datname from pg_database where datname like '${LEFT}\\_%' limit 1`;

/** Gives what ends it. The databases that are then still there go with the server. */
export async function removeLeftDatabases(adminUrl: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  let isOn = true;
  const removing = (async () => {
    while (isOn) if (!(await removeLeftDatabase(client))) await sleep(LOOK_EVERY_MS);
  })();
  // Whoever ends it is told of a failure.
  removing.catch(() => undefined);
  return async () => {
    isOn = false;
    await removing.finally(() => client.end());
  };
}

/** Any of them; false if none was left. */
export async function removeLeftDatabase(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ datname: string }>(FIND);
  for (const { datname } of rows) await client.query(`drop database if exists ${datname} with (force)`);
  return rows.length > 0;
}
