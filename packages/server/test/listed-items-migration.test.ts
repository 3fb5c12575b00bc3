/** What was there before the lists were kept is listed by the migration that brings them, as if they had always been. */
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { refOfMessage, refOfOutbox } from '../src/domain/listed-item.ts';
import type { Engine } from '../src/store/database.ts';
import { openPostgres } from '../src/store/dialects/postgres.ts';
import { openSqlite } from '../src/store/dialects/sqlite.ts';
import { findViolations } from '../src/store/invariants.ts';
import { migrate } from '../src/store/migrate.ts';
import { durablePath } from '../src/store/migrations/0001-durable-path.ts';
import { doors } from '../src/store/migrations/0002-doors.ts';
import { files } from '../src/store/migrations/0003-files.ts';
import { webhookSecrets } from '../src/store/migrations/0004-webhook-secrets.ts';
import { conversations } from '../src/store/migrations/0005-conversations.ts';
import { sandbox } from '../src/store/migrations/0006-sandbox.ts';
import { listedItems } from '../src/store/migrations/0011-listed-items.ts';
import { createHome, ENGINES, startTestServer } from './harness.ts';
import { fillLists } from './listed-scene.ts';

/** The last release without lists. */
const BEFORE = [durablePath, doors, files, webhookSecrets, conversations, sandbox];

/** By table; each row in the order of the columns. */
const ROWS: readonly (readonly [string, string, readonly (readonly (string | number | null)[])[]])[] = [
  ['accounts', 'ref, id, owner_email, created_at', [[1, 'acc_1', 'owner@localhost', 1]]],
  [
    'lines',
    'ref, id, account_ref, handle, service, kind, is_active, is_sandbox, contact_first, pace_ms, created_at',
    [
      [1, 'ln_1', 1, '+1', 'imessage', 'simulator', 1, 0, 0, 0, 1],
      [2, 'ln_2', 1, '+2', 'sms', 'simulator', 1, 0, 0, 0, 1],
    ],
  ],
  [
    'chats',
    'ref, id, account_ref, line_ref, identifier, service, is_group, participants, has_received_inbound, last_message_at, created_at',
    [
      [1, 'cht_1', 1, 1, '+100', 'imessage', 0, '["+100"]', 1, 700, 1],
      [2, 'cht_2', 1, 1, 'group', 'imessage', 1, '["+100","+200"]', 1, 700, 1],
      [3, 'cht_3', 1, 2, '+100', 'sms', 0, '["+100"]', 1, 700, 1],
    ],
  ],
  [
    'outbox',
    'ref, id, account_ref, line_ref, recipient, is_group, state, payload, kind, error, completed_at, created_at, updated_at',
    [
      [1, 'obx_1', 1, 1, '+300', 0, 'pending', '{}', 'message', null, null, 100, 100],
      [2, 'obx_2', 1, 1, '+100', 0, 'sent', '{}', 'message', null, 205, 200, 205],
      [3, 'obx_3', 1, 1, '+100', 0, 'failed', '{}', 'message', 'No.', 310, 300, 310],
      [4, 'obx_4', 1, 1, '+100', 0, 'sent', '{}', 'reaction', null, 320, 320, 320],
      [5, 'obx_5', 1, 1, 'group', 1, 'handed_over', '{}', 'message', null, null, 400, 410],
      [6, 'obx_6', 1, 2, '+100', 0, 'sent', '{}', 'audio_message', null, 505, 500, 505],
      [7, 'obx_7', 1, 1, '+100', 0, 'sent', '{}', 'message', null, 605, 600, 605],
    ],
  ],
  [
    'messages',
    'ref, chat_ref, sent_at, id, account_ref, line_ref, guid, sender, service, is_from_me, state, outbox_ref, attachment_count, synced_at, updated_at',
    [
      [1, 1, 150, 'msg_1', 1, 1, 'g1', '+100', 'imessage', 0, 'received', null, 3, 155, 155],
      [2, 1, 204, 'msg_2', 1, 1, 'g2', '+1', 'imessage', 1, 'delivered', 2, 0, 205, 260],
      [3, 1, 250, 'msg_3', 1, 1, 'g3', '+1', 'imessage', 1, 'read', null, 0, 250, 290],
      [4, 2, 350, 'msg_4', 1, 1, 'g4', '+200', 'imessage', 0, 'received', null, 0, 340, 340],
      [5, 3, 504, 'msg_5', 1, 2, 'g5', '+2', 'sms', 1, 'sent', 6, 0, 505, 505],
      [6, 2, 550, 'msg_6', 1, 1, 'g6', '+1', 'imessage', 1, 'sent', null, 0, 550, 550],
      [7, 1, 604, 'msg_7', 1, 1, 'g7', '+1', 'sms', 1, 'sent', 7, 0, 605, 605],
    ],
  ],
  [
    'attachments',
    'message_ref, place, filename',
    [
      [1, 0, 'a.jpg'],
      [1, 1, 'b.jpg'],
      [1, 2, 'c.jpg'],
    ],
  ],
];

/** ref, line, group, peer, outbound, status, service, outbox item, message, place, created, updated. */
const EXPECTED = [
  [refOfOutbox(1), 1, null, '+300', 1, 'QUEUED', 'imessage', 1, null, 0, 100, 100],
  [refOfMessage(1), 1, null, '+100', 0, 'RECEIVED', 'imessage', null, 1, 0, 150, 155],
  [refOfMessage(1, 1), 1, null, '+100', 0, 'RECEIVED', 'imessage', null, 1, 1, 150, 155],
  [refOfMessage(1, 2), 1, null, '+100', 0, 'RECEIVED', 'imessage', null, 1, 2, 150, 155],
  [refOfOutbox(2), 1, null, '+100', 1, 'DELIVERED', 'imessage', 2, 2, 0, 200, 260],
  [refOfOutbox(3), 1, null, '+100', 1, 'ERROR', 'imessage', 3, null, 0, 300, 310],
  [refOfMessage(3), 1, null, '+100', 1, 'DELIVERED', 'imessage', null, 3, 0, 250, 290],
  [refOfMessage(4), 1, 2, '+200', 0, 'RECEIVED', 'imessage', null, 4, 0, 350, 350],
  [refOfOutbox(5), 1, 2, '', 1, 'QUEUED', 'imessage', 5, null, 0, 400, 410],
  [refOfOutbox(6), 2, null, '+100', 1, 'SENT', 'sms', 6, 5, 0, 500, 505],
  [refOfMessage(6), 1, 2, '', 1, 'SENT', 'imessage', null, 6, 0, 550, 550],
  [refOfOutbox(7), 1, null, '+100', 1, 'SENT', 'sms', 7, 7, 0, 600, 605],
];

async function run(engine: Engine, text: string): Promise<void> {
  await sql.raw(text).execute(engine.query);
}

function listed(engine: Engine) {
  return engine.query.selectFrom('listed_items').selectAll().orderBy('ref').execute();
}

describe.each(ENGINES)('the migration that lists items on %s', (kind) => {
  it('lists what a database of the last release has', async () => {
    const home = await createHome(kind, 'none');
    const url = home.environment['TRUNKLINE_DATABASE_URL'];
    const engine =
      url === undefined
        ? openSqlite({ file: join(home.environment['TRUNKLINE_DATA_DIR'] ?? '', 'trunkline.sqlite') })
        : await openPostgres({ url, schema: 'trunkline' });
    await migrate(engine, BEFORE);
    const textOf = (value: string | number | null) => (typeof value === 'string' ? `'${value}'` : String(value));
    for (const [table, columns, rows] of ROWS) {
      const values = rows.map((row) => `(${row.map(textOf).join(', ')})`);
      await run(engine, `insert into ${table} (${columns}) values ${values.join(', ')}`);
    }
    await migrate(engine);
    const rows = (await listed(engine)).map((row) => [
      ...[row.ref, row.line_ref, row.chat_ref, row.peer, row.is_outbound, row.status, row.service],
      ...[row.outbox_ref, row.message_ref, row.place, row.created_at, row.updated_at],
    ]);
    expect(rows).toEqual(EXPECTED.toSorted((a, b) => Number(a[0]) - Number(b[0])));
    // The rows are no whole history: of the invariants, those about the lists are asked.
    const violations = await findViolations(engine);
    expect(violations.filter(({ invariant }) => invariant.includes('listed'))).toEqual([]);
    await engine.close();
    await home.remove();
  });

  it('lists the same that was listed from the beginning', async () => {
    const test = await startTestServer(kind, { environment: { TRUNKLINE_ROLES: 'api' } });
    const { engine } = test.server;
    await fillLists(test);
    const before = await listed(engine);
    expect(before.length).toBeGreaterThan(300);
    await run(engine, 'drop table listed_items');
    for (const text of listedItems.statements({ kind, identity: '' })) await run(engine, text);
    const after = await listed(engine);
    // A claim changes an item of the outbox and nothing that is shown of it.
    const withoutChange = ({ updated_at: _updated, ...row }: (typeof before)[number]) => row;
    expect(after.map(withoutChange)).toEqual(before.map(withoutChange));
    for (const row of after) expect(row.updated_at).toBeGreaterThanOrEqual(row.created_at);
    await test.stop();
  }, 60_000);
});
