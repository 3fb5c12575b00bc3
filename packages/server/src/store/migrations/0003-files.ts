/** Files: what clients upload and lines bring. Their bytes are blobs outside the database, named by the file's id. */
import type { MigrationText } from './migration.ts';

export const files: MigrationText = {
  name: '0003-files',
  statements: (engine) => [
    // `mime_type` is what whoever brought it said, `content_type` what its first bytes show. `source` names where on a
    // line it came from, so that a second report of it makes no second file.
    `create table files (ref ${engine.identity}, id text not null unique, account_ref bigint not null, filename text,
      mime_type text not null, content_type text, size bigint not null, source text unique,
      created_at bigint not null)`,
  ],
};
