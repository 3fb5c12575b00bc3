/** The reference pages against the tables in the code, in both directions. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../src/config.ts';
import { ApiError, ERRORS, type ErrorCode } from '../src/domain/errors.ts';
import { EVENTS, WEBHOOK_EVENTS } from '../src/domain/events.ts';
import { SCOPES } from '../src/domain/scopes.ts';
import { RETRY_WAITS_MS } from '../src/webhooks/retry-schedule.ts';
import { errorBody, errorStatus } from '../src/wire/v1.ts';

const page = (name: string) => readFileSync(new URL(`../../../docs/reference/${name}.md`, import.meta.url), 'utf8');

/** The rows of the first table whose head begins with that word: each cell without its code quotes. */
function table(text: string, head: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${head} |`));
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    const cells = line.split('|').slice(1, -1);
    rows.push(cells.map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1')));
  }
  return rows;
}

describe('docs/reference/errors.md', () => {
  const rows = table(page('errors'), 'code');

  it('has every code once, in the order of the code, and no other', () => {
    expect(rows.map(([code]) => code)).toEqual(Object.keys(ERRORS));
  });

  it.each(rows.map(([code = '', status, type, when]) => ({ code, status, type, when })))(
    'says of $code what the API answers',
    ({ code, status, type, when }) => {
      const error = new ApiError(code as ErrorCode);
      expect({ status, type }).toEqual({ status: String(errorStatus(error)), type: errorBody(error, '').error.type });
      expect(when).toMatch(/\.$/);
    },
  );
});

describe('docs/reference/events.md', () => {
  const text = page('events');

  it('has every event with its scope and its sentence, and no other', () => {
    const expected = Object.entries(EVENTS).map(([name, { scope, sentence }]) => [name, scope, sentence]);
    expect(table(text, 'event')).toEqual(expected);
  });

  it('names what a webhook may subscribe to', () => {
    const [, but = ''] = /takes all of these names but (.*?), which are on the stream alone/.exec(text) ?? [];
    const left = [...but.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.replace('*', ''));
    expect(left).toHaveLength(2);
    const names = Object.keys(EVENTS).filter((name) => !left.some((start) => name.startsWith(start)));
    expect(names).toEqual([...WEBHOOK_EVENTS]);
  });

  it('tells the retry schedule as it is', () => {
    const units: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000 };
    const told = /76 hours: after ([^;]*?), each/.exec(text.replaceAll('\n', ' '))?.[1] ?? '';
    const waits = [...told.matchAll(/(\d+) (s|min|h)\b/g)].map(
      ([, count, unit = '']) => Number(count) * (units[unit] ?? 0),
    );
    expect(waits).toEqual([...RETRY_WAITS_MS]);
  });
});

describe('docs/reference/scopes.md', () => {
  const rows = table(page('scopes'), 'scope');

  it('has every scope once, in the order of the code, and no other', () => {
    expect(rows.map(([scope]) => scope)).toEqual([...SCOPES]);
  });

  it('has a sentence for each', () => {
    for (const [scope, sentence] of rows) expect(sentence, scope).toMatch(/^[A-Z].*\.$/);
  });
});

describe('docs/reference/configuration.md', () => {
  it('has every setting with its default and its sentence, and no other', () => {
    const expected = Object.entries(SETTINGS).map(([name, setting]) => [
      name,
      setting.default === '' ? 'empty' : setting.default,
      'isSecret' in setting ? 'yes' : 'no',
      setting.sentence,
    ]);
    expect(table(page('configuration'), 'setting')).toEqual(expected);
  });
});
