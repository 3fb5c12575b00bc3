/** The table that `npm run bench` prints. */
import { type Figure, type Goal, isMet, median, ratioOf, type Unit } from './figure.ts';

const HEADINGS = ['figure', 'median', 'rounds', 'beside', 'ratio', 'goal', 'met'] as const;

export function renderTable(figures: readonly Figure[]): string {
  const rows = [HEADINGS, ...figures.map(cells)];
  const widths = HEADINGS.map((_heading, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [lines[0], rule, ...lines.slice(1)].map((line) => line?.trimEnd()).join('\n');
}

/** The same, for programs. */
export function figureJson(figure: Figure) {
  const { name, unit, values, beside, goal } = figure;
  return { name, unit, median: median(values), values, beside, ratio: ratioOf(figure), goal, met: isMet(figure) };
}

function cells(figure: Figure): string[] {
  const { unit, values, beside, goal } = figure;
  const ratio = ratioOf(figure);
  const met = isMet(figure);
  return [
    figure.name,
    quantity(median(values), unit),
    values.length > 1 ? `${amount(Math.min(...values), unit)}..${amount(Math.max(...values), unit)}` : '',
    beside ? `${beside.name} ${quantity(median(beside.values), unit)}` : '',
    ratio === null ? '' : ratio.toFixed(2),
    goal ? goalText(goal, unit) : '',
    met === null ? '' : met ? 'yes' : 'NO',
  ];
}

function goalText(goal: Goal, unit: Unit): string {
  const sign = goal.is === 'at least' ? '>=' : '<=';
  return goal.of === 'ratio' ? `ratio ${sign} ${goal.limit}` : `${sign} ${goal.limit}${unit === '' ? '' : ` ${unit}`}`;
}

function quantity(value: number, unit: Unit): string {
  return unit === '' ? amount(value, unit) : `${amount(value, unit)} ${unit}`;
}

function amount(value: number, unit: Unit): string {
  if (unit === 'ms' || unit === 's') return value.toFixed(value < 100 ? 2 : 0);
  return Math.round(value).toLocaleString('en');
}
