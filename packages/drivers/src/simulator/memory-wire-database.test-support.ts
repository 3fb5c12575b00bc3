/** The simulator's database for tests: SQLite in memory. The server brings the ones that last. */
import { openSqliteWireDatabase } from './sqlite-wire-database.ts';
import type { WireDatabase } from './wire-database.ts';

export function openMemoryWireDatabase(): Promise<{ database: WireDatabase; close(): Promise<void> }> {
  return openSqliteWireDatabase(':memory:');
}
