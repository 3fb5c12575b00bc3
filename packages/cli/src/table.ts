/** Rows in aligned columns, as a person reads them. */
import { type Terminal, toPlainText } from './terminal.ts';

const GAP = '  ';
const LAST_COLUMN_MIN = 20;
const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff01-\uff60]/u;
const SEGMENTER = new Intl.Segmenter('en', { granularity: 'grapheme' });

export interface Table {
  add(rows: readonly (readonly string[])[]): void;
}

/**
 * The widths are those of the first rows, so that later pages stand under the same head. The last column is cut to the
 * terminal's width where `isCut` says so.
 */
export function createTable(terminal: Terminal, heads: readonly string[], isCut = false): Table {
  let widths: readonly number[] | null = null;
  const render = (cells: readonly string[], columns: readonly number[]) => {
    const parts = cells.slice(0, -1).map((cell, index) => padTo(cell, columns[index] ?? 0));
    const before = parts.reduce((sum, part) => sum + widthOf(part) + GAP.length, 0);
    const room = Math.max(LAST_COLUMN_MIN, (terminal.width ?? Number.POSITIVE_INFINITY) - before);
    const last = cells.at(-1) ?? '';
    return [...parts, isCut ? cutTo(last, room) : last].join(GAP).trimEnd();
  };
  return {
    add(rows) {
      const plain = rows.map((row) => row.map(toPlainText));
      if (widths === null) {
        widths = heads.map((head, index) => Math.max(...[head, ...plain.map((row) => row[index] ?? '')].map(widthOf)));
        terminal.print(terminal.paint('bold', render(heads, widths)));
      }
      for (const row of plain) terminal.print(render(row, widths));
    },
  };
}

/** In columns of a terminal. */
function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const { segment } of SEGMENTER.segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept}…`;
}
