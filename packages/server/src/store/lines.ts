/** Lines, and how far each line's driver has been heard. */
import type { Line } from '../domain/line.ts';
import { type Engine, insertInto, type Row, statement } from './database.ts';
import type { Write } from './writer.ts';

export const LINES_TOPIC = 'lines';

export type NewLine = Omit<Line, 'ref' | 'capabilities'> & { readonly now: number };

export const insertLine = insertInto(
  'lines',
  {
    id: 'text',
    account_ref: 'int',
    handle: 'text',
    label: 'text',
    service: 'text',
    kind: 'text',
    is_active: 'int',
    is_sandbox: 'int',
    contact_first: 'int',
    opt_out_keywords: 'int',
    pace_ms: 'int',
    created_at: 'int',
  },
  'on conflict (handle) do nothing returning ref, id',
);

/** Gives each line's ref, or null where the handle is taken. */
export const createLines: Write<NewLine, number | null> = {
  name: 'create_lines',
  kind: 'outcome',
  concurrency: 1,
  isRefusal: (result) => result === null,
  async run({ tx, wake }, items) {
    const rows = await tx.each(insertLine, items.map(lineRow));
    const refs = new Map(rows.map((row) => [row['id'], Number(row['ref'])]));
    wake(LINES_TOPIC);
    return items.map((item) => refs.get(item.id) ?? null);
  },
};

const allLines = statement(
  {},
  `select lines.*, line_health.capabilities from lines left join line_health on line_health.line_ref = lines.ref
   where lines.removed_at is null order by lines.ref`,
);
const cursorOfLine = statement({ line_ref: 'int' }, 'select cursor from line_cursors where line_ref = i.line_ref');

/** Every line of the installation, without the removed ones; there are few. */
export async function readLines(engine: Engine): Promise<readonly Line[]> {
  return (await engine.read(allLines, {})).map(lineFromRow);
}

/** The cursor of the last event that was committed for the line, or null before the first. */
export async function readLineCursor(engine: Engine, lineRef: number): Promise<string | null> {
  const [row] = await engine.read(cursorOfLine, { line_ref: lineRef });
  return row ? String(row['cursor']) : null;
}

export function lineRow(line: NewLine): Row {
  return {
    id: line.id,
    account_ref: line.accountRef,
    handle: line.handle,
    label: line.label,
    service: line.service,
    kind: line.kind,
    is_active: line.isActive ? 1 : 0,
    is_sandbox: line.isSandbox ? 1 : 0,
    contact_first: line.contactFirst ? 1 : 0,
    opt_out_keywords: line.optOutKeywords ? 1 : 0,
    pace_ms: line.paceMs,
    created_at: line.now,
  };
}

export function lineFromRow(row: Row): Line {
  return {
    ref: Number(row['ref']),
    id: String(row['id']),
    accountRef: Number(row['account_ref']),
    handle: String(row['handle']),
    label: row['label'] === null ? null : String(row['label']),
    service: String(row['service']) as Line['service'],
    kind: String(row['kind']) as Line['kind'],
    isActive: row['is_active'] === 1,
    isSandbox: row['is_sandbox'] === 1,
    contactFirst: row['contact_first'] === 1,
    optOutKeywords: row['opt_out_keywords'] === 1,
    capabilities: typeof row['capabilities'] === 'string' ? (JSON.parse(row['capabilities']) as string[]) : null,
    paceMs: Number(row['pace_ms']),
  };
}
