/** Fills a prepared home with messages, in the store's own tables and by its own statements, a few thousand to a commit. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createIds, type Ids } from '../packages/server/src/domain/ids.ts';
import { encodeCursor } from '../packages/server/src/http/page-cursor.ts';
import { type Engine, insertInto, type Row, statement } from '../packages/server/src/store/database.ts';
import { insertMessages } from '../packages/server/src/store/messages.ts';
import { openPostgresDatabases, openSqliteFolder } from '../packages/server/src/store/open.ts';
import type { Home } from './home.ts';
import { LINE } from './trunkline.ts';

const COMMIT_ROWS = 5_000;
const OTHER_CHATS = 2_000;
/** Half of all messages lie in one chat; the others arrive in between, as in life. */
const LONG_CHAT_EVERY = 2;
const PAGE = 50;
const FIRST_SENT_AT = Date.UTC(2020, 0, 1);
const EVERY_MS = 1_000;

/** The long chat. */
export interface SeededChat {
  readonly id: string;
  /** In the whole database. */
  readonly messages: number;
  /** The cursor of the page that holds its oldest messages. */
  readonly deepestCursor: string;
}

const selectLine = statement(
  { handle: 'text' },
  'select lines.ref, lines.account_ref from lines{, items} where lines.handle = i.handle',
);
const insertChats = insertInto(
  'chats',
  {
    id: 'text',
    account_ref: 'int',
    line_ref: 'int',
    identifier: 'text',
    service: 'text',
    is_group: 'int',
    participants: 'text',
    has_received_inbound: 'int',
    last_message_at: 'int',
    created_at: 'int',
  },
  'returning ref, identifier',
);
const insertOutbox = insertInto(
  'outbox',
  {
    id: 'text',
    account_ref: 'int',
    line_ref: 'int',
    recipient: 'text',
    is_group: 'int',
    state: 'text',
    payload: 'text',
    attempts: 'int',
    hand_overs: 'int',
    created_at: 'int',
    updated_at: 'int',
    completed_at: 'int',
  },
  'returning ref, id',
);
const touchChats = statement(
  { line_ref: 'int', created_at: 'int' },
  `update chats set last_message_at = (select max(m.sent_at) from messages m where m.chat_ref = chats.ref)
   {from items} where chats.line_ref = i.line_ref and chats.created_at = i.created_at
   and exists (select 1 from messages m where m.chat_ref = chats.ref)`,
);
const oldestButAPage = statement(
  { chat_ref: 'int', rows: 'int' },
  'select sent_at, ref from messages where chat_ref = i.chat_ref order by sent_at, ref limit 1 offset i.rows',
);

/** The home has its line already, and no server runs on it. The log has no events of these messages. */
export async function seedMessages(home: Home, messages: number): Promise<SeededChat> {
  const databases = await openDatabases(home);
  try {
    const engine = databases.server;
    const seed = await writeChats(engine);
    for (let from = 0; from < messages; from += COMMIT_ROWS) {
      await writeMessages(engine, seed, from, Math.min(from + COMMIT_ROWS, messages));
    }
    await commitRows(engine, touchChats, [{ line_ref: seed.lineRef, created_at: FIRST_SENT_AT }]);
    const long = seed.chats[0];
    if (!long) throw new Error('There is no chat.');
    const [place] = await engine.read(oldestButAPage, { chat_ref: long.ref, rows: PAGE });
    const position = [Number(place?.['sent_at']), Number(place?.['ref'])];
    return { id: long.id, messages, deepestCursor: encodeCursor(`messages ${long.id}`, position) };
  } finally {
    await databases.close();
  }
}

interface Seed {
  readonly ids: Ids;
  readonly accountRef: number;
  readonly lineRef: number;
  /** The long one first. */
  readonly chats: readonly { readonly ref: number; readonly id: string; readonly identifier: string }[];
}

export function openDatabases({ engine, environment }: Home) {
  if (engine === 'postgres') return openPostgresDatabases(environment['TRUNKLINE_DATABASE_URL'] ?? '');
  return openSqliteFolder((name) => join(environment['TRUNKLINE_DATA_DIR'] ?? '', name));
}

async function writeChats(engine: Engine): Promise<Seed> {
  const [line] = await engine.read(selectLine, { handle: LINE });
  if (!line) throw new Error(`The home has no line ${LINE}.`);
  const accountRef = Number(line['account_ref']);
  const lineRef = Number(line['ref']);
  const ids = createIds(Date.now, randomBytes);
  const chatIds = new Map<string, string>();
  const rows = Array.from({ length: OTHER_CHATS + 1 }, (_, index): Row => {
    const identifier = `+1555012${String(index).padStart(4, '0')}`;
    const id = ids.make('chat');
    chatIds.set(identifier, id);
    return {
      id,
      account_ref: accountRef,
      line_ref: lineRef,
      identifier,
      service: 'imessage',
      is_group: 0,
      participants: JSON.stringify([identifier]),
      has_received_inbound: 1,
      last_message_at: 0,
      created_at: FIRST_SENT_AT,
    };
  });
  const written = await commitRows(engine, insertChats, rows);
  const chats = written.map((row) => {
    const identifier = String(row['identifier']);
    return { ref: Number(row['ref']), identifier, id: chatIds.get(identifier) ?? '' };
  });
  chats.sort((a, b) => a.identifier.localeCompare(b.identifier));
  return { ids, accountRef, lineRef, chats };
}

/** Every other message of a chat is the line's own and has its outbox item. */
async function writeMessages(engine: Engine, seed: Seed, from: number, to: number): Promise<void> {
  const own: Row[] = [];
  const messages: Row[] = [];
  for (let index = from; index < to; index++) {
    const turn = Math.floor(index / LONG_CHAT_EVERY);
    const chat = index % LONG_CHAT_EVERY === 0 ? seed.chats[0] : seed.chats[1 + (turn % OTHER_CHATS)];
    if (!chat) continue;
    const round = index % LONG_CHAT_EVERY === 0 ? turn : Math.floor(turn / OTHER_CHATS);
    const isOwn = round % 2 === 1;
    const sentAt = FIRST_SENT_AT + index * EVERY_MS;
    const outboxId = isOwn ? seed.ids.make('outbox') : null;
    if (outboxId !== null) own.push(outboxRow(seed, outboxId, chat.identifier, sentAt));
    messages.push(messageRow(seed, { index, chat, sentAt, outboxId }));
  }
  await engine.commit(async (tx) => {
    const items = await tx.each(insertOutbox, own);
    const refs = new Map(items.map((row) => [row['id'], Number(row['ref'])]));
    const rows = messages.map(({ outbox_id: id, ...row }) => ({ ...row, outbox_ref: refs.get(id ?? '') ?? null }));
    await tx.each(insertMessages, rows);
    return { value: null, log: [], topics: [] };
  });
}

function outboxRow(seed: Seed, id: string, recipient: string, at: number): Row {
  return {
    id,
    account_ref: seed.accountRef,
    line_ref: seed.lineRef,
    recipient,
    is_group: 0,
    state: 'sent',
    payload: JSON.stringify({ kind: 'message', from: LINE, to: recipient, text: textOf(at) }),
    attempts: 1,
    hand_overs: 1,
    created_at: at,
    updated_at: at,
    completed_at: at,
  };
}

interface Seeded {
  readonly index: number;
  readonly chat: { readonly ref: number; readonly identifier: string };
  readonly sentAt: number;
  readonly outboxId: string | null;
}

/** With `outbox_id` where the item's ref belongs, which the database has yet to draw. */
function messageRow(seed: Seed, { index, chat, sentAt, outboxId }: Seeded): Row {
  const isOwn = outboxId !== null;
  return {
    chat_ref: chat.ref,
    sent_at: sentAt,
    id: seed.ids.make('message'),
    account_ref: seed.accountRef,
    line_ref: seed.lineRef,
    guid: guidOf(index),
    sender: isOwn ? LINE : chat.identifier,
    text: textOf(sentAt),
    service: 'imessage',
    is_from_me: isOwn ? 1 : 0,
    state: isOwn ? 'delivered' : 'received',
    outbox_id: outboxId,
    reply_to_guid: null,
    effect: null,
    is_audio_message: 0,
    attachment_count: 0,
    delivered_at: isOwn ? sentAt : null,
    read_at: null,
    now: sentAt,
  };
}

/** Random to an index, as GUIDs are, yet the same in every run. */
function guidOf(index: number): string {
  return createHash('sha256').update(String(index)).digest('hex').slice(0, 32).toUpperCase();
}

function textOf(at: number): string {
  return `The parcel ${at} left the depot this morning and will be with you by tomorrow noon.`;
}

function commitRows(engine: Engine, write: Parameters<Engine['read']>[0], rows: readonly Row[]): Promise<Row[]> {
  return engine.commit(async (tx) => ({ value: await tx.each(write, rows), log: [], topics: [] }));
}
