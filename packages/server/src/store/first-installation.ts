/** What an empty database gets, in one transaction: whole or not at all, and once however many processes start at once. */
import { insertAccount, insertKey, KEYS_TOPIC, keyRow, type NewAccount, type NewKey } from './accounts.ts';
import { statement } from './database.ts';
import { insertLine, LINES_TOPIC, lineRow, type NewLine } from './lines.ts';
import type { Write } from './writer.ts';

export interface FirstInstallation {
  readonly account: NewAccount;
  readonly key: Omit<NewKey, 'accountRef'>;
  readonly lines: readonly Omit<NewLine, 'accountRef'>[];
}

/** Whoever writes this row makes the rest; a second process waits here for the first one's commit. */
const claimFirst = statement(
  { value: 'text' },
  `insert into installation (name, value) values ('first_account', i.value) on conflict (name) do nothing returning name`,
);

/** Says whether it was this one. */
export const createFirstInstallation: Write<FirstInstallation, boolean> = {
  name: 'create_first_installation',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx, wake }, items) {
    const results: boolean[] = [];
    for (const { account, key, lines } of items) {
      const claimed = await tx.one(claimFirst, { value: account.id });
      results.push(claimed.length > 0);
      if (claimed.length === 0) continue;
      const row = { id: account.id, owner_email: account.ownerEmail, created_at: account.now };
      const [made] = await tx.each(insertAccount, [row]);
      const accountRef = Number(made?.['ref']);
      await tx.each(
        insertLine,
        lines.map((line) => lineRow({ ...line, accountRef })),
      );
      await tx.each(insertKey, [keyRow({ ...key, accountRef })]);
      wake(LINES_TOPIC);
      wake(KEYS_TOPIC);
    }
    return results;
  },
};
