/** Looks for what must not be anywhere: in logs, answers, tables and files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createLog, type Log } from '../src/log.ts';
import type { Engine } from '../src/store/database.ts';

/** Something secret, and the name under which a test speaks of it. */
export interface Needle {
  readonly name: string;
  readonly text: string;
}

/** A place that was looked through, and all that stands there. */
export interface Haystack {
  readonly place: string;
  readonly text: string;
}

/** Which needle is where; the text itself is not told again. */
export function findLeaks(needles: readonly Needle[], haystacks: readonly Haystack[]): string[] {
  return haystacks.flatMap(({ place, text }) =>
    needles
      .filter((needle) => writings(needle.text).some((one) => text.includes(one)))
      .map(({ name }) => `${name} in ${place}`),
  );
}

/** A log at its most talkative, and everything that it has said. */
export function listeningLog(): { log: Log; said: () => Haystack } {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString('utf8'));
      done();
    },
  });
  return { log: createLog('debug', false, stream), said: () => ({ place: 'the log', text: lines.join('') }) };
}

/** Every row of every table. */
export async function dumpTables(engine: Engine): Promise<Haystack[]> {
  const tables = await engine.query.introspection.getTables();
  return Promise.all(
    tables.map(async ({ name, schema }) => {
      const query = schema === undefined ? engine.query : engine.query.withSchema(schema);
      // The type knows the tables of the schema only, and all of them are meant.
      const rows = await query
        .selectFrom(name as 'lines')
        .selectAll()
        .execute();
      return { place: `the table ${name}`, text: JSON.stringify(rows) };
    }),
  );
}

/** Every file below the folder, byte by byte. */
export function readFiles(folder: string): Haystack[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ name, parentPath }) => ({
    place: `the file ${name}`,
    text: readFileSync(join(parentPath, name), 'utf8'),
  }));
}

/** As it is, inside a JSON string, in a URL and in base64. */
function writings(text: string): string[] {
  const inBase64 = Buffer.from(text).toString('base64').replace(/=+$/, '').slice(0, -2);
  return [...new Set([text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text), inBase64])];
}
