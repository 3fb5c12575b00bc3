/** A Mac as an agent has it: one message database, one Messages, one journal, for every driver that is started on it. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { DriverContext, LineDriver } from '../line-driver.ts';
import { type ChatDb, createChatDb } from './chat-db/chat-db.ts';
import type { ReaderTimings } from './chat-db/reader.ts';
import { READER_TABLES } from './chat-db/reader-tables.ts';
import { createMacosDriver, type MacosDriver } from './driver.ts';
import { type Journal, openJournal } from './journal.ts';
import { createMacSender, type MacSender } from './send/mac-sender.ts';
import { SEND_TABLES } from './send/send-tables.ts';
import type { SendTimings } from './send/timings.ts';

export interface MacOptions {
  readonly home: string;
  /** The journal's file. */
  readonly journal: string;
  /** Default: where macOS has it in this home. */
  readonly chatDb?: string;
  /** The commands that stand for the programs of macOS. */
  readonly osascript?: readonly string[];
  readonly open?: readonly string[];
  readonly now: () => number;
  readonly log: DriverContext['log'];
  readonly readerTimings?: Partial<ReaderTimings>;
  readonly sendTimings?: Partial<SendTimings>;
}

export interface MacLine {
  readonly handle: string;
  readonly service: 'imessage' | 'sms' | 'auto';
}

export interface Mac {
  createDriver(line: MacLine, context: DriverContext): LineDriver;
  /** How far the newest driver has read, and what it waits for. */
  diagnostics(): object;
  /** Waits for what is being sent. */
  close(): Promise<void>;
}

/** What every driver of this Mac shares. */
export interface MacParts {
  readonly chatDbPath: string;
  readonly home: string;
  readonly chatDb: ChatDb;
  readonly journal: Journal;
  readonly sender: MacSender;
  readonly readerTimings: Partial<ReaderTimings>;
}

export async function openMac(options: MacOptions): Promise<Mac> {
  const { home, readerTimings = {}, sendTimings = {} } = options;
  const chatDbPath = options.chatDb ?? join(home, 'Library/Messages/chat.db');
  const chatDb = createChatDb({ path: chatDbPath, home });
  const journal = openJournal(options.journal, [...READER_TABLES, ...SEND_TABLES]);
  let sender: MacSender | null = null;
  let newest: MacosDriver | null = null;

  /** The service of the line is known when the server has said it. */
  function senderFor({ service }: MacLine): MacSender {
    sender ??= createMacSender({
      ...options,
      chatDb,
      journal,
      service: service === 'sms' ? 'sms' : 'imessage',
      uuid: () => randomUUID().toUpperCase(),
      timings: sendTimings,
    });
    return sender;
  }

  return {
    createDriver(line, context) {
      const parts = { chatDbPath, home, chatDb, journal, sender: senderFor(line), readerTimings };
      newest = createMacosDriver(parts, line.handle, context);
      return newest;
    },
    diagnostics: () => newest?.diagnostics() ?? {},
    async close() {
      await sender?.close();
      chatDb.close();
      journal.close();
    },
  };
}
