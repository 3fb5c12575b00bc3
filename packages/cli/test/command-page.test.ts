/** `docs/reference/command.md` is what the tree of commands says. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { commandPage, PAGE_PATH } from './command-page.ts';

it('docs/reference/command.md has every command and option as they are; else run npm run generate', async () => {
  const page = readFileSync(PAGE_PATH, 'utf8');
  expect(page).toBe(await commandPage());
  expect(page).toContain('| `--idempotency-key <key>` |');
});
