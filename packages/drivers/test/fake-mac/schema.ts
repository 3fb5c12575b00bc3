/**
 * The tables, indexes and triggers of `chat.db`, by generation. Letters such as "a.3" refer to the transport dossier.
 *
 * The triggers that call functions of Apple's own process are left out: a foreign writer could not run them (a.3).
 */
import { type Generation, RELEASES } from './generations.ts';
import { CHAT_COLUMNS, type ColumnList, MESSAGE_COLUMNS } from './schema-columns.ts';

export function createSchema(generation: Generation): string {
  const release = RELEASES[generation];
  return [...tables(release), ...INDEXES, ...TRIGGERS].join(';\n').concat(';');
}

function tables(release: number): string[] {
  return [...MAIN_TABLES, ...SMALL_TABLES, ...(release >= 26 ? LOOKUP_TABLES : [])].map(
    ({ name, columns, constraints }) => {
      const there = columns.flatMap((one) => (sinceOf(one) <= release ? [textOf(one)] : []));
      return `CREATE TABLE ${name} (${[...there, ...constraints].join(', ')})`;
    },
  );
}

function sinceOf(column: ColumnList[number]): number {
  return typeof column === 'string' ? 0 : column[0];
}

function textOf(column: ColumnList[number]): string {
  return typeof column === 'string' ? column : column[1];
}

interface Table {
  readonly name: string;
  readonly columns: ColumnList;
  readonly constraints: readonly string[];
}

const KEY = 'ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE';
const OF_CHAT = 'REFERENCES chat(ROWID) ON DELETE CASCADE';
const OF_CHAT_27 = 'REFERENCES chat(ROWID) ON UPDATE CASCADE ON DELETE CASCADE';
const OF_MESSAGE = 'REFERENCES message(ROWID) ON DELETE CASCADE';

/** a.3. A column stands with the first release that has it, where that is later than Ventura. */
const MAIN_TABLES: readonly Table[] = [
  {
    name: 'handle',
    columns: [
      KEY,
      'id TEXT NOT NULL',
      'country TEXT',
      'service TEXT NOT NULL',
      'uncanonicalized_id TEXT',
      'person_centric_id TEXT',
    ],
    constraints: ['UNIQUE (id, service)'],
  },
  { name: 'chat', columns: CHAT_COLUMNS, constraints: [] },
  { name: 'message', columns: MESSAGE_COLUMNS, constraints: [] },
  {
    name: 'attachment',
    columns: [
      'ROWID INTEGER PRIMARY KEY AUTOINCREMENT',
      'guid TEXT UNIQUE NOT NULL',
      'created_date INTEGER DEFAULT 0',
      'start_date INTEGER DEFAULT 0',
      'filename TEXT',
      'uti TEXT',
      'mime_type TEXT',
      'transfer_state INTEGER DEFAULT 0',
      'is_outgoing INTEGER DEFAULT 0',
      'user_info BLOB',
      'transfer_name TEXT',
      'total_bytes INTEGER DEFAULT 0',
      'is_sticker INTEGER DEFAULT 0',
      'sticker_user_info BLOB',
      'attribution_info BLOB',
      'hide_attachment INTEGER DEFAULT 0',
      'ck_sync_state INTEGER DEFAULT 0',
      'ck_server_change_token_blob BLOB',
      'ck_record_id TEXT',
      'original_guid TEXT UNIQUE NOT NULL',
      'is_commsafety_sensitive INTEGER DEFAULT 0',
      [15, 'emoji_image_content_identifier TEXT'],
      [15, 'emoji_image_short_description TEXT'],
      [15, 'preview_generation_state INTEGER DEFAULT 0'],
      [26, 'preflight_info BLOB DEFAULT NULL'],
      [26, 'sensitivity_analysis INTEGER DEFAULT 0'],
    ],
    constraints: [],
  },
  {
    name: 'chat_message_join',
    columns: [
      `chat_id INTEGER ${OF_CHAT}`,
      `message_id INTEGER ${OF_MESSAGE}`,
      'message_date INTEGER DEFAULT 0',
      [26, 'index_state INTEGER NOT NULL DEFAULT 0'],
      [27, 'filter_action INTEGER NOT NULL DEFAULT 0'],
      [27, 'filter_sub_action INTEGER NOT NULL DEFAULT 0'],
    ],
    constraints: ['PRIMARY KEY (chat_id, message_id)'],
  },
  {
    name: 'chat_handle_join',
    columns: [`chat_id INTEGER ${OF_CHAT}`, 'handle_id INTEGER REFERENCES handle(ROWID) ON DELETE CASCADE'],
    constraints: ['UNIQUE (chat_id, handle_id)'],
  },
  {
    name: 'message_attachment_join',
    columns: [
      `message_id INTEGER ${OF_MESSAGE}`,
      'attachment_id INTEGER REFERENCES attachment(ROWID) ON DELETE CASCADE',
    ],
    constraints: ['UNIQUE (message_id, attachment_id)'],
  },
  {
    name: 'chat_recoverable_message_join',
    columns: ['chat_id INTEGER', 'message_id INTEGER', 'delete_date INTEGER', 'ck_sync_state INTEGER DEFAULT 0'],
    constraints: ['PRIMARY KEY (chat_id, message_id)', 'CHECK (delete_date != 0)'],
  },
  {
    name: 'recoverable_message_part',
    columns: [
      'chat_id INTEGER',
      'message_id INTEGER',
      'part_index INTEGER',
      'delete_date INTEGER',
      'part_text BLOB NOT NULL',
      'ck_sync_state INTEGER DEFAULT 0',
    ],
    constraints: ['PRIMARY KEY (chat_id, message_id, part_index)', 'CHECK (delete_date != 0)'],
  },
];

/** The bookkeeping of a.3. */
const SMALL_TABLES: readonly Table[] = [
  { name: 'deleted_messages', columns: [KEY, 'guid TEXT NOT NULL'], constraints: [] },
  { name: 'sync_deleted_messages', columns: [KEY, 'guid TEXT NOT NULL', 'recordID TEXT'], constraints: [] },
  {
    name: 'sync_deleted_chats',
    columns: [KEY, 'guid TEXT NOT NULL', 'recordID TEXT', 'timestamp INTEGER'],
    constraints: [],
  },
  { name: 'sync_deleted_attachments', columns: [KEY, 'guid TEXT NOT NULL', 'recordID TEXT'], constraints: [] },
  {
    name: 'unsynced_removed_recoverable_messages',
    columns: [KEY, 'chat_guid TEXT NOT NULL', 'message_guid TEXT NOT NULL', 'part_index INTEGER'],
    constraints: [],
  },
  {
    name: 'message_processing_task',
    columns: [KEY, 'guid TEXT NOT NULL', 'task_flags INTEGER NOT NULL'],
    constraints: [],
  },
  { name: 'kvtable', columns: [KEY, 'key TEXT UNIQUE NOT NULL', 'value BLOB NOT NULL'], constraints: [] },
  { name: '_SqliteDatabaseProperties', columns: ['key TEXT', 'value TEXT'], constraints: ['UNIQUE (key)'] },
];

/** The identity look-up of chats, 26 and later (a.3). */
const LOOKUP_TABLES: readonly Table[] = [
  {
    name: 'chat_lookup',
    columns: [
      'identifier TEXT NOT NULL',
      'domain TEXT NOT NULL',
      `chat INTEGER NOT NULL ${OF_CHAT_27}`,
      'priority INTEGER DEFAULT 0',
    ],
    constraints: ['UNIQUE (identifier, domain)'],
  },
  {
    name: 'chat_service',
    columns: ['service TEXT NOT NULL', `chat INTEGER NOT NULL ${OF_CHAT_27}`],
    constraints: ['UNIQUE (service, chat)'],
  },
];

/** The indexes that a.3 names. None is on a column of receipts or edits. */
const INDEXES: readonly string[] = [
  ...[
    ['message', 'date'],
    ['message', 'handle_id, date'],
    ['message', 'associated_message_guid'],
    ['message', 'thread_originator_guid'],
    ['message', 'is_sent, is_from_me, error'],
    ['message', 'is_finished, is_from_me, error'],
    ['message', 'is_read, is_from_me, is_finished'],
    ['message', 'is_read, is_from_me, item_type'],
    ['message', 'cache_has_attachments'],
    ['message', 'was_downgraded'],
    ['message', 'expire_state'],
    ['message', 'other_handle'],
    ['chat', 'chat_identifier'],
    ['chat', 'chat_identifier, service_name'],
    ['chat', 'room_name, service_name'],
    ['chat', 'group_id'],
    ['chat', 'is_archived'],
    ['chat_message_join', 'message_id'],
    ['chat_message_join', 'chat_id'],
    ['chat_message_join', 'chat_id, message_date, message_id'],
    ['chat_handle_join', 'handle_id'],
    ['message_attachment_join', 'message_id'],
    ['message_attachment_join', 'attachment_id'],
  ].map(([table, columns], place) => `CREATE INDEX ${table}_idx_${place} ON ${table} (${columns})`),
  `CREATE INDEX message_idx_undelivered_one_to_one_imessage
     ON message (cache_roomnames, service, is_sent, is_delivered, was_downgraded, item_type)
     WHERE cache_roomnames IS NULL AND service = 'iMessage' AND is_sent = 1 AND is_delivered = 0
       AND was_downgraded = 0 AND item_type = 0`,
];

const ROOM_NAMES = (message: string): string => `UPDATE message SET cache_roomnames = (
    SELECT group_concat(c.room_name) FROM chat c JOIN chat_message_join j ON j.chat_id = c.ROWID
     WHERE j.message_id = ${message}) WHERE ROWID = ${message};`;

/** The triggers of a.3 that are SQL alone. */
const TRIGGERS: readonly string[] = [
  `CREATE TRIGGER note_attachment AFTER INSERT ON message_attachment_join BEGIN
     UPDATE message SET cache_has_attachments = 1 WHERE ROWID = new.message_id;
   END`,
  `CREATE TRIGGER name_rooms AFTER INSERT ON chat_message_join BEGIN ${ROOM_NAMES('new.message_id')} END`,
  `CREATE TRIGGER rename_rooms AFTER DELETE ON chat_message_join BEGIN ${ROOM_NAMES('old.message_id')} END`,
  `CREATE TRIGGER drop_homeless AFTER DELETE ON chat_message_join
   WHEN NOT EXISTS (SELECT 1 FROM chat_message_join WHERE message_id = old.message_id)
    AND NOT EXISTS (SELECT 1 FROM chat_recoverable_message_join WHERE message_id = old.message_id)
   BEGIN DELETE FROM message WHERE ROWID = old.message_id; END`,
  `CREATE TRIGGER copy_date AFTER UPDATE OF date ON message BEGIN
     UPDATE chat_message_join SET message_date = new.date WHERE message_id = new.ROWID;
   END`,
  `CREATE TRIGGER note_failure AFTER UPDATE OF error ON message WHEN new.error != 0 BEGIN
     INSERT INTO kvtable (key, value) VALUES ('lastFailedMessageDate', new.date)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value;
     INSERT INTO kvtable (key, value) VALUES ('lastFailedMessageRowID', new.ROWID)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value;
   END`,
  `CREATE TRIGGER note_deletion AFTER DELETE ON message BEGIN
     INSERT INTO deleted_messages (guid) VALUES (old.guid);
     INSERT INTO sync_deleted_messages (guid, recordID) VALUES (old.guid, old.ck_record_id);
   END`,
];
