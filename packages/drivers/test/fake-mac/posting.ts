/** What the fake Messages does with what a script gave it: its rows, one by one, and the way to the peers (a.5, d.3). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { GotMessage } from './acts.ts';
import type { Timings } from './behaviour.ts';
import type { Part } from './bodies.ts';
import type { ChatRow } from './chat-db.ts';
import { newGuid } from './message-rows.ts';
import { insertOwn, insertTwin, markDelivered, markFailed, markSent } from './own-acts.ts';
import { mayMessagesRead } from './sandbox.ts';
import type { World } from './world.ts';

export interface Posting {
  readonly chat: ChatRow;
  readonly timings: Timings;
  /** What the peers got, by the chat's identifier. */
  readonly got: Map<string, GotMessage[]>;
}

interface Posted extends Posting {
  /** It will fail, so it reaches nobody. */
  readonly isRefused: boolean;
  readonly onRow: (guid: string) => void;
}

/** `message.error` of a file that could not be read (d.6). */
const NOT_STAGED = 25;
const LINK = /https?:\/\/\S+/g;
const FINISHED = 5;
const FAILED = 6;

export function postText(
  world: World,
  how: Posted,
  { text, splits }: { readonly text: string; readonly splits: boolean },
): void {
  world.schedule.after(how.timings.rowMs, () => {
    const [first = text, ...others] = splits ? splitAtLinks(text) : [text];
    const whole = insertPosted(world, how, [{ text: first }], null);
    const guids = [whole, ...others.map((piece) => insertPosted(world, how, [{ text: piece }], whole))];
    how.onRow(whole);
    carry(world, how, guids, { text, files: [] });
  });
}

/** The words before the first link, and each link with the words behind it: one row, and one for each link. */
function splitAtLinks(text: string): string[] {
  const starts = [...text.matchAll(LINK)].map(({ index }) => index);
  const cuts = [0, ...starts, text.length];
  return cuts
    .slice(0, -1)
    .map((start, place) => text.slice(start, cuts[place + 1]).trim())
    .filter((piece) => piece !== '');
}

export function postFile(
  world: World,
  how: Posted,
  file: { readonly path: string; readonly isAlias: boolean; readonly isPlaceholder: boolean },
): void {
  const { schedule, home } = world;
  schedule.after(how.timings.rowMs, () => {
    const transfer = newGuid();
    const name = basename(file.path);
    const isReadable = !file.isPlaceholder && mayMessagesRead(home, file.path, file.isAlias);
    const guid = insertPosted(world, how, [{ attachment: transfer, filename: name }], null);
    how.onRow(guid);
    if (!isReadable) {
      // d.3: the script hears nothing of it; the receiver sees an empty bubble at most.
      schedule.after(how.timings.readFileMs, () => void markFailed(world, guid, NOT_STAGED));
      return;
    }
    world.db.attach(world.db.rowidOf(guid), {
      guid: transfer,
      original_guid: transfer,
      filename: file.path,
      transfer_name: name,
      is_outgoing: 1,
      transfer_state: 0,
    });
    schedule.after(how.timings.readFileMs, () => readStaged(world, how, { guid, transfer, path: file.path, name }));
  });
}

/** The file is read only now: where it was removed too early, nothing is sent (d.3). */
function readStaged(
  world: World,
  how: Posted,
  {
    guid,
    transfer,
    path,
    name,
  }: { readonly guid: string; readonly transfer: string; readonly path: string; readonly name: string },
): void {
  const update = (columns: Parameters<World['db']['update']>[2]): void => {
    const row = world.db.one('SELECT ROWID FROM attachment WHERE guid = ?', transfer);
    world.db.update('attachment', Number(row?.['ROWID']), columns);
  };
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    update({ transfer_state: FAILED });
    markFailed(world, guid, NOT_STAGED);
    return;
  }
  update({ transfer_state: FINISHED, total_bytes: bytes.length });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  carry(world, how, [guid], { text: null, files: [{ name, path, sha256 }] });
}

function insertPosted(world: World, how: Posted, parts: readonly Part[], whole: string | null): string {
  const { joinMs } = how.timings;
  return insertOwn(world, how.chat, parts, { date: world.now(), joinAfterMs: joinMs, whole }).guid;
}

/** Sent, at the other end, and in a direct chat of iMessage delivered (c.4, d.7). */
function carry(world: World, how: Posted, guids: readonly string[], what: Pick<GotMessage, 'text' | 'files'>): void {
  if (how.isRefused) return;
  const { chat, timings, got } = how;
  world.schedule.after(timings.sentMs, () => {
    for (const guid of guids) markSent(world, guid);
    const there = got.get(chat.identifier) ?? [];
    got.set(chat.identifier, [...there, { guid: guids[0] ?? '', ...what, at: world.now() }]);
    const [whole] = guids;
    if (whole !== undefined && what.text !== null && chat.identifier === world.db.owner.handle) {
      const twin = newGuid();
      world.oracle.addRow(whole, twin);
      insertTwin(world, chat, { guid: twin, text: what.text, date: world.now() });
    }
    if (timings.deliveredMs === null || chat.isGroup || chat.service === 'SMS') return;
    world.schedule.after(timings.deliveredMs, () => {
      for (const guid of guids) markDelivered(world, guid);
    });
  });
}
