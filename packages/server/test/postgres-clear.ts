/** Makes a database of a test as good as new, and says whether it is. */
import type pg from 'pg';

/** A table that has become longer than this, in bytes, is made anew; shorter ones are emptied faster row by row. */
const LONG = 65_536;
const OURS = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";

/** Without rows but those that say which migrations were made, without statistics, and with sequences at their beginning. */
const CLEAR = `
do $$
declare one record;
begin
  set local synchronous_commit = off;
  set local session_replication_role = replica;
  for one in
    select c.oid::regclass as name, pg_relation_size(c.oid) > ${LONG} as is_long, pg_relation_size(c.oid) > 0 as is_used
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and c.relname !~ '^kysely_' and ${OURS}
  loop
    if one.is_long then execute format('truncate %s', one.name);
    elsif one.is_used then execute format('delete from %s', one.name);
    end if;
  end loop;
  -- What was learnt of the rows that were there is wrong for those that will be.
  perform pg_clear_relation_stats(n.nspname, c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'i') and (c.relpages > 0 or c.reltuples >= 0) and ${OURS};
  delete from pg_statistic s using pg_class c, pg_namespace n
    where c.oid = s.starelid and n.oid = c.relnamespace and ${OURS};
  perform setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    from pg_sequences where last_value is not null;
end $$`;

/** Everything that a test may have changed and that `CLEAR` does not put back. */
const FINGERPRINT = `
select md5(string_agg(word, chr(10) order by word)) as fingerprint from (
  select concat_ws(' ', n.nspname, c.relname, c.relkind, c.reloptions) as word
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${OURS}
  union all select concat_ws(' ', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity)
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where ${OURS} and a.attnum > 0 and not a.attisdropped
  union all select pg_get_indexdef(i.indexrelid) || i.indisvalid
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace where ${OURS}
  union all select concat_ws(' ', o.conrelid::regclass, o.conname, pg_get_constraintdef(o.oid))
    from pg_constraint o join pg_namespace n on n.oid = o.connamespace where ${OURS}
  union all select concat_ws(' ', t.tgrelid::regclass, pg_get_triggerdef(t.oid)) from pg_trigger t where not t.tgisinternal
  union all select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${OURS}
  union all select concat_ws(' ', s.setrole, s.setconfig) from pg_db_role_setting s
    join pg_database d on d.oid = s.setdatabase where d.datname = current_database()
  union all select concat_ws(' ', n.nspname, n.nspacl) from pg_namespace n where ${OURS}
  union all select concat_ws(' ', 'of', c.oid::regclass, c.relacl)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${OURS} and c.relacl is not null
  union all select e.extname from pg_extension e
) words`;

export async function clearDatabase(client: pg.Client): Promise<void> {
  await client.query(CLEAR);
}

export async function fingerprintOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ fingerprint: string }>(FINGERPRINT);
  return rows[0]?.fingerprint ?? '';
}
