/** One statement's text as each engine is given it. */
import { describe, expect, it } from 'vitest';
import { insertInto, statement } from '../src/store/database.ts';
import { postgresOneText, postgresSetText, sqliteText } from '../src/store/dialects/statement-text.ts';

describe('the text of a statement', () => {
  const update = statement({ ref: 'int', name: 'text' }, 'update t set name = i.name {from items} where t.ref = i.ref');
  const select = statement({ ref: 'int' }, 'select i.ord as ord, t.name from t{, items} where t.ref = i.ref');
  const insert = insertInto('t', { ref: 'int', name: 'text', share: 'real' }, 'on conflict do nothing');

  it('is, on SQLite, run once per item with named parameters', () => {
    expect(sqliteText(update)).toBe('update t set name = @name  where t.ref = @ref');
    expect(sqliteText(select)).toBe('select @ord as ord, t.name from t where t.ref = @ref');
    expect(sqliteText(insert)).toBe(
      'insert into t (ref, name, share) values (@ref, @name, @share) on conflict do nothing',
    );
  });

  it('is, on PostgreSQL, run once for all items, each column an array', () => {
    const items = 'unnest($1::bigint[], $2::text[], $3::bigint[]) as i(ref, name, ord)';
    expect(postgresSetText(update)).toBe(`update t set name = i.name from ${items} where t.ref = i.ref`);
    expect(postgresSetText(select)).toBe(
      'select i.ord as ord, t.name from t, unnest($1::bigint[], $2::bigint[]) as i(ref, ord) where t.ref = i.ref',
    );
    expect(postgresSetText(insert)).toBe(
      'insert into t (ref, name, share) select i.ref, i.name, i.share from ' +
        'unnest($1::bigint[], $2::text[], $3::double precision[], $4::bigint[]) as i(ref, name, share, ord) ' +
        'on conflict do nothing',
    );
  });

  it('is, on PostgreSQL for one item, given a parameter per column, however often it is named', () => {
    const one = statement({ ref: 'int', name: 'text' }, 'select i.name where i.ref = 1 or i.ref = 2');
    expect(postgresOneText(one)).toBe('select $2::text where $1::bigint = 1 or $1::bigint = 2');
  });

  it('locks rows where there is anybody to lock out, and reads the database’s own clock', () => {
    const locking = statement({ ref: 'int' }, 'select {now} from t where ref = i.ref {for share of t} {skip locked}');
    expect(sqliteText(locking)).toMatch(
      /^select cast\(unixepoch\('subsec'\) \* 1000 as integer\) from t where ref = @ref *$/,
    );
    expect(postgresOneText(locking)).toBe(
      'select (extract(epoch from clock_timestamp()) * 1000)::bigint from t where ref = $1::bigint ' +
        'for share of t for update skip locked',
    );
  });

  it('leaves alone what only looks like an item’s column', () => {
    const alike = statement({ ref: 'int' }, 'select hi.ref, items.ref from hi where hi.ref = i.ref');
    expect(sqliteText(alike)).toBe('select hi.ref, items.ref from hi where hi.ref = @ref');
    expect(postgresOneText(alike)).toBe('select hi.ref, items.ref from hi where hi.ref = $1::bigint');
  });
});
