/** Moves the bytes of attachments to the server, beside the reading: a slow upload holds up no text. */
import { statSync } from 'node:fs';
import type { DriverContext, ReceivedFile } from '../../line-driver.ts';
import type { AttachmentRow } from './message-row.ts';

const AT_ONCE = 2;
const RETRY_MS = 2_000;
const RETRY_MS_MAX = 300_000;
const FINISHED = 5;

interface Move {
  /** The GUID of its message. */
  readonly guid: string;
  readonly file: ReceivedFile;
  /** Moved after those of new messages. */
  readonly isOld: boolean;
}

export interface AttachmentMover {
  /** The server's id of the attachment's file, or null. Then its bytes are on their way, unless they were refused just now. */
  fileOf(guid: string, attachment: AttachmentRow, isOld: boolean): string | null;
  /** The messages whose bytes have arrived since this was last asked. */
  takeArrived(): string[];
  /** The id is not asked for again. */
  forget(guid: string, attachment: AttachmentRow): void;
  stop(): void;
}

interface Refusal {
  readonly times: number;
  readonly until: number;
}

export function createAttachmentMover(
  context: Pick<DriverContext, 'files' | 'log' | 'now'>,
  onArrival: () => void,
): AttachmentMover {
  const files = new Map<string, string>();
  const refusals = new Map<string, Refusal>();
  const wanted = new Map<string, Move>();
  const moving = new Set<string>();
  let arrived: string[] = [];
  let isStopped = false;

  function begin(): void {
    while (!isStopped && moving.size < AT_ONCE) {
      const waiting = [...wanted.values()].filter(({ file }) => !moving.has(file.name));
      const next = waiting.find(({ isOld }) => !isOld) ?? waiting[0];
      if (next === undefined) return;
      moving.add(next.file.name);
      void move(next);
    }
  }

  async function move({ guid, file }: Move): Promise<void> {
    try {
      files.set(file.name, await context.files.write(file));
      refusals.delete(file.name);
      arrived.push(guid);
    } catch (error) {
      const times = (refusals.get(file.name)?.times ?? 0) + 1;
      refusals.set(file.name, { times, until: context.now() + Math.min(RETRY_MS * 2 ** (times - 1), RETRY_MS_MAX) });
      const reason = error instanceof Error ? error.message : String(error);
      context.log('warn', 'An attachment was not taken and will be offered again.', { times, error: reason });
    }
    wanted.delete(file.name);
    moving.delete(file.name);
    if (isStopped) return;
    begin();
    if (files.has(file.name)) onArrival();
  }

  return {
    fileOf(guid, attachment, isOld) {
      const name = nameOf(guid, attachment);
      const known = files.get(name);
      if (known !== undefined) return known;
      const isRefused = (refusals.get(name)?.until ?? 0) > context.now();
      const file = wanted.has(name) || isRefused ? null : receivedFile(name, attachment);
      if (file !== null) {
        wanted.set(name, { guid, file, isOld });
        begin();
      }
      return null;
    },
    takeArrived() {
      const guids = [...new Set(arrived)];
      arrived = [];
      return guids;
    },
    forget(guid, attachment) {
      files.delete(nameOf(guid, attachment));
    },
    stop() {
      isStopped = true;
      wanted.clear();
    },
  };
}

/** Said to be finished, and there with all its bytes. */
export function isFinished({ path, transferState, totalBytes }: AttachmentRow): boolean {
  if (path === null || transferState !== FINISHED) return false;
  const size = sizeOf(path);
  return size !== null && (totalBytes > 0 ? size === totalBytes : size > 0);
}

/** The own GUID of most attachments names the message and the place in it. */
function nameOf(guid: string, attachment: AttachmentRow): string {
  return attachment.guid.includes(guid) ? attachment.guid : `${guid}_${attachment.guid}`;
}

function receivedFile(name: string, attachment: AttachmentRow): ReceivedFile | null {
  const { path, name: filename, mimeType } = attachment;
  const size = path === null ? null : sizeOf(path);
  return path === null || size === null ? null : { name, path, filename, mimeType, size };
}

/** Null where it is not there, or may not be looked at. */
function sizeOf(path: string): number | null {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isFile() === true ? stats.size : null;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}
