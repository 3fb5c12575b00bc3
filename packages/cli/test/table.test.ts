/** Columns on a terminal, which no pipe shows. */
import { describe, expect, it } from 'vitest';
import { createTable } from '../src/table.ts';
import type { Terminal } from '../src/terminal.ts';

function terminalOf(width: number | null): { terminal: Terminal; lines: string[] } {
  const lines: string[] = [];
  const nobody = () => Promise.reject(new Error('Nobody is asked here.'));
  const terminal: Terminal = {
    width,
    print: (line) => void lines.push(line),
    printJson: () => undefined,
    note: () => undefined,
    paint: (_style, text) => text,
    writeBytes: nobody,
    readInput: nobody,
    readInputBytes: nobody,
    confirm: nobody,
    ask: nobody,
    askSecret: nobody,
  };
  return { terminal, lines };
}

describe('a table', () => {
  it('aligns its columns, wide characters included, and keeps its widths on the next page', () => {
    const { terminal, lines } = terminalOf(null);
    const table = createTable(terminal, ['A', 'LONG HEAD', 'B']);
    table.add([
      ['日本', '1', 'x'],
      ['👍🏽', '22', 'y'],
    ]);
    table.add([['zz', 'longer than the head', 'z']]);
    expect(lines).toEqual([
      'A     LONG HEAD  B',
      '日本  1          x',
      '👍🏽    22         y',
      'zz    longer than the head  z',
    ]);
  });

  it('cuts its last column to the terminal, and to nothing else', () => {
    const rows = [['key', `${'word '.repeat(30)}end`]];
    const narrow = terminalOf(40);
    createTable(narrow.terminal, ['ID', 'TEXT'], true).add(rows);
    expect(narrow.lines[1]).toBe('key  word word word word word word word…');
    expect(narrow.lines[1]?.length).toBe(40);
    const piped = terminalOf(null);
    createTable(piped.terminal, ['ID', 'TEXT'], true).add(rows);
    expect(piped.lines[1]?.endsWith('end')).toBe(true);
    const kept = terminalOf(40);
    createTable(kept.terminal, ['ID', 'TEXT']).add(rows);
    expect(kept.lines[1]?.endsWith('end')).toBe(true);
  });
});
