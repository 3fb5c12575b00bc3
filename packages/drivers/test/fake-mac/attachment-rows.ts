/** How an attachment comes in: its row, its bytes and its states, each at its own time (a.4, a.5). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FileContent, FilesAct } from './acts.ts';
import { encodeBinaryPlist } from './binary-plist.ts';
import type { World } from './world.ts';

/** `transfer_state` (a.4). */
const STATE = { waiting: 0, transferring: 3, finalising: 4, finished: 5, failed: 6 } as const;

/** Received: `at_<part>_<GUID of the message>` (a.4). */
export function attachmentGuid(part: number, message: string): string {
  return `at_${part}_${message}`;
}

/** Two hashed levels, and a folder of its own (a.1). */
function attachmentPath(guid: string, name: string): string {
  const levels = guid.slice(-4).toLowerCase();
  return `~/Library/Messages/Attachments/${levels.slice(0, 2)}/${levels.slice(2)}/${guid}/${name}`;
}

export function receiveFile(
  world: World,
  message: string,
  file: FileContent & { readonly guid: string },
  act: Pick<FilesAct, 'arrival' | 'isAudio' | 'transcription'>,
): void {
  const { rowAfterMs = 0, fileAfterMs = 0, doneAfterMs = 0, fails = false } = act.arrival ?? {};
  const bytes = Buffer.from(file.bytes, 'base64');
  const path = attachmentPath(file.guid, file.name);
  const update = (columns: Parameters<World['db']['update']>[2]): void => {
    const row = world.db.one('SELECT ROWID FROM attachment WHERE guid = ?', file.guid);
    if (row !== null) world.db.update('attachment', Number(row['ROWID']), columns);
  };
  const tell = (isReady: boolean): void => {
    const later = { what: 'attachment', guid: file.guid, isReady, at: world.now() } as const;
    world.oracle.addLater(message, later);
  };
  // Ready is what is both said to be finished and there; the later of the two tells it.
  let missing = 2;
  const arrive = (): void => {
    missing -= 1;
    if (missing === 0) tell(true);
  };

  world.schedule.after(rowAfterMs, () => {
    const row = world.db.message(message);
    if (row === null) return;
    world.db.attach(Number(row['ROWID']), {
      guid: file.guid,
      original_guid: file.guid,
      transfer_name: file.name,
      mime_type: file.mimeType,
      uti: file.uti ?? (act.isAudio === true ? 'com.apple.coreaudio-format' : null),
      total_bytes: bytes.length,
      transfer_state: STATE.waiting,
    });
  });
  const later = (ms: number, work: () => void): void => world.schedule.after(rowAfterMs + ms, work);
  if (doneAfterMs !== null) {
    later(doneAfterMs / 3, () => update({ transfer_state: STATE.transferring }));
    later((doneAfterMs * 2) / 3, () => update({ transfer_state: STATE.finalising, filename: path }));
    later(doneAfterMs, () => {
      update({ transfer_state: fails ? STATE.failed : STATE.finished, filename: path });
      if (fails) tell(false);
      else arrive();
    });
  }
  if (fileAfterMs !== null) {
    later(fileAfterMs, () => {
      const place = join(world.home, path.slice(2));
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, bytes);
      arrive();
    });
  }
  if (act.transcription !== undefined) {
    const { text, afterMs } = act.transcription;
    later(afterMs, () => {
      update({ user_info: encodeBinaryPlist({ 'audio-transcription': text }) });
      world.oracle.addLater(message, { what: 'transcription', text, at: world.now() });
    });
  }
}
