/** What happens to rows and to the database as a whole: deletions, floods, and files that change (a.3, a.5, h.2). */
import Database from 'better-sqlite3';
import type { MacActs } from './acts.ts';
import { inboundRow, newGuid } from './message-rows.ts';
import type { World } from './world.ts';

const DAY_MS = 86_400_000;
/** How many rows of a flood stand in one transaction. */
const FLOOD_BATCH = 100;

export function createUpheavals(
  world: World,
): Pick<
  MacActs,
  | 'delete'
  | 'recentlyDelete'
  | 'mergeChats'
  | 'gap'
  | 'flood'
  | 'checkpoint'
  | 'rotate'
  | 'replaceByCopy'
  | 'replaceByRebuilt'
  | 'holdReadLock'
  | 'lockOut'
> {
  const { db } = world;
  const tellDeleted = (guid: string): void => world.oracle.addLater(guid, { what: 'deleted', at: world.now() });
  return {
    delete: ({ guid }) => {
      db.delete(guid);
      tellDeleted(guid);
      return null;
    },
    recentlyDelete: ({ guid }) => {
      db.moveToRecoverable(guid, world.now());
      tellDeleted(guid);
      return null;
    },
    mergeChats: ({ from, into }) => {
      const [gone, stays] = [db.chat(from), db.chat(into)];
      if (gone === null || stays === null) throw new Error('Both chats must be there.');
      db.mergeChats(gone, stays);
      return null;
    },
    gap: ({ rows }) => {
      db.together(() => {
        for (let row = 0; row < rows; row += 1) {
          const guid = newGuid();
          db.insert('message', { guid });
          db.delete(guid);
        }
      });
      return null;
    },
    flood: (act) => {
      flood(world, act);
      return null;
    },
    checkpoint: () => db.checkpoint(),
    rotate: () => {
      db.rotate();
      return null;
    },
    replaceByCopy: () => {
      db.replaceByCopy();
      world.oracle.replaceDatabase(world.now());
      return null;
    },
    replaceByRebuilt: ({ keep }) => {
      db.replaceByRebuilt(keep);
      world.oracle.replaceDatabase(world.now());
      return null;
    },
    holdReadLock: ({ ms }) => {
      const reader = new Database(db.path, { readonly: true });
      reader.exec('BEGIN; SELECT count(*) FROM message;');
      world.schedule.after(ms, () => reader.close());
      return null;
    },
    lockOut: ({ ms }) => {
      const isAlone = db.lockOut();
      if (isAlone) world.schedule.after(ms, () => db.rotate());
      return isAlone;
    },
  };
}

/** Old rows under new ROWIDs, read long ago, in an order of their own (a.5). */
function flood(world: World, act: Parameters<MacActs['flood']>[0]): void {
  const { db, oracle } = world;
  const { from, rows } = act;
  const newest = 'newest' in act ? act.newest : world.now() - act.agoMs;
  for (let begun = 0; begun < rows; begun += FLOOD_BATCH) {
    db.together(() => {
      for (let row = begun; row < Math.min(rows, begun + FLOOD_BATCH); row += 1) {
        const peer = from[row % from.length] ?? db.owner.handle;
        const chat = db.directChat(peer);
        // A stride that has no factor in common with a day count scatters the dates.
        const date = newest - ((row * 7_919) % Math.max(1, rows)) * (DAY_MS / 24);
        const guid = newGuid();
        const text = `From long ago, ${row}`;
        const made = { guid, handle: db.handle(peer, chat.service), service: chat.service, date };
        const columns = { ...inboundRow(world, made, [{ text }]), is_read: 1, was_deduplicated: 1 };
        db.join(chat.rowid, db.insert('message', columns));
        oracle.expect({
          what: 'message',
          guid,
          rows: [guid],
          chat: chat.identifier,
          isGroup: false,
          isFromMe: false,
          sender: peer,
          service: chat.service,
          text,
          attachments: [],
          isAudio: false,
          replyTo: null,
          effect: null,
          date,
          completeAt: world.now(),
          isOld: true,
          later: [],
        });
      }
    });
  }
}
