/** How far `listen` has come, kept per server, receiver and filter, so that `--resume` goes on there. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { configFolder, readPrivateFile, writePrivateFile } from './config-file.ts';
import { parseFields, textOf } from './fields.ts';
import type { Surroundings } from './surroundings.ts';

const NAME_CHARACTERS = 16;

export interface ListenPlace {
  /** Null where there was no earlier run. */
  read(): string | null;
  keep(cursor: string): void;
}

export function openListenPlace(
  { environment, terminal }: Surroundings,
  what: Readonly<Record<'server' | 'forward_to' | 'from' | 'events', string>>,
): ListenPlace {
  const hash = createHash('sha256').update(JSON.stringify(what)).digest('hex');
  const path = join(configFolder(environment), 'listen', `${hash.slice(0, NAME_CHARACTERS)}.json`);
  return {
    read() {
      const text = readPrivateFile(path, terminal.note);
      const fields = text === null ? null : parseFields(text);
      return fields === null ? null : textOf(fields, 'cursor');
    },
    keep: (cursor) => writePrivateFile(path, { ...what, cursor }),
  };
}
