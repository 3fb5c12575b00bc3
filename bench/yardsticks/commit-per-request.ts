/** The plain way to keep sends: Fastify and SQLite, as durable as the product, one transaction for each request. */
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { serveSends } from './send-app.ts';

const database = new Sqlite(join(process.env['BENCH_FOLDER'] ?? '.', 'sends.sqlite'));
database.pragma('journal_mode = wal');
database.pragma('synchronous = FULL');
database.exec(`
  create table outbox (ref integer primary key autoincrement, id text not null unique, recipient text not null,
    state text not null, payload text not null, created_at integer not null);
  create index outbox_pending on outbox (recipient, ref) where state = 'pending';
`);
const insert = database.prepare(
  "insert into outbox (id, recipient, state, payload, created_at) values (?, ?, 'pending', ?, ?)",
);
const insertAlone = database.transaction((id: string, to: string, payload: string) => {
  insert.run(id, to, payload, Date.now());
});

await serveSends((id, send) => insertAlone.immediate(id, send.to, JSON.stringify(send)));
