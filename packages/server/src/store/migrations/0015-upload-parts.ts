/** Pieces of a file that an agent brings, until all of it is there. */
import type { MigrationText } from './migration.ts';

export const uploadParts: MigrationText = {
  name: '0015-upload-parts',
  statements: () => [
    `create table upload_parts (line_ref bigint not null, name text not null, start bigint not null, size bigint not null,
      blob text not null, created_at bigint not null, primary key (line_ref, name, start))`,
    'create unique index upload_parts_by_blob on upload_parts (blob)',
    'create index upload_parts_by_time on upload_parts (created_at)',
  ],
};
