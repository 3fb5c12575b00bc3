/** A reader of a fake Mac's message database, with a server that remembers what it was told. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthState, ReceivedFile } from '../src/line-driver.ts';
import type { LineEvent } from '../src/line-events.ts';
import type { MessageRow } from '../src/macos/chat-db/message-row.ts';
import { type ChatDbReader, createChatDbReader } from '../src/macos/chat-db/reader.ts';
import { READER_TABLES } from '../src/macos/chat-db/reader-tables.ts';
import { type Journal, openJournal } from '../src/macos/journal.ts';
import type { OwnRow } from '../src/macos/own-rows.ts';
import type { FakeMac } from './fake-mac/mac.ts';

const POLL_MS = 40;
const FULL_LOOK_MS = 400;
const RETRY_MS = 30;
const LOOK_AGAIN_MS = 20;
const PATIENCE_MS = 12_000;

type Kind = LineEvent['kind'];
type Told<K extends Kind> = Extract<LineEvent, { kind: K }>;

export interface ReaderStage {
  readonly reader: ChatDbReader;
  /** All that was reported, in its order, repetitions included. */
  readonly events: LineEvent[];
  readonly healths: { readonly state: HealthState; readonly reason: string | null }[];
  readonly taken: { readonly file: ReceivedFile; readonly bytes: string }[];
  of<K extends Kind>(kind: K): Told<K>[];
  texts(): (string | null)[];
  /** Resolves as soon as the condition holds. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Lets the reader look a few times more. */
  looks(): Promise<void>;
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly mac: FakeMac;
  readonly cursor?: string | null;
  readonly journal?: string;
  readonly claim?: (row: MessageRow) => OwnRow;
  /** Throws where the server refuses. */
  readonly onReport?: (events: readonly LineEvent[]) => void | Promise<void>;
  readonly onWrite?: (file: ReceivedFile) => void | Promise<void>;
  /** How far this reader's clock is ahead. */
  readonly aheadMs?: () => number;
}

export function journalPath(mac: FakeMac): string {
  return join(mkdtempSync(join(mac.folder, 'journal-')), 'journal.db');
}

export function startReader(options: StageOptions): ReaderStage {
  const { mac, cursor = null, claim = () => ({ state: 'foreign' }), aheadMs = () => 0 } = options;
  const journal: Journal = openJournal(options.journal ?? journalPath(mac), READER_TABLES);
  const ending = new AbortController();
  const events: LineEvent[] = [];
  const healths: ReaderStage['healths'] = [];
  const taken: { file: ReceivedFile; bytes: string }[] = [];
  const reader = createChatDbReader({
    chatDb: mac.chatDb,
    home: mac.home,
    line: mac.line,
    journal,
    ownRows: { claim },
    timings: { pollMs: POLL_MS, fullLookMs: FULL_LOOK_MS, reportRetryMs: RETRY_MS, unreadableRetryMs: RETRY_MS },
    context: {
      now: () => Date.now() + aheadMs(),
      random: () => 0.5,
      log: () => undefined,
      health: (state, reason) => void healths.push({ state, reason }),
      report: async (reported) => {
        if (reported.length > 200) throw new Error('A report has at most 200 events.');
        await options.onReport?.(reported);
        events.push(...reported);
      },
      files: {
        read: () => Promise.reject(new Error('Nothing goes out here.')),
        write: async (file) => {
          await options.onWrite?.(file);
          taken.push({ file, bytes: readFileSync(file.path, 'utf8') });
          return `file_${file.name}`;
        },
      },
      signal: ending.signal,
    },
  });
  const end: { error: Error | null } = { error: null };
  void reader.stopped.then((error) => {
    end.error = error;
  });
  reader.start(cursor);
  const of = <K extends Kind>(kind: K): Told<K>[] => events.filter((event): event is Told<K> => event.kind === kind);
  return {
    reader,
    events,
    healths,
    taken,
    of,
    texts: () => of('message').map(({ text }) => text),
    until: async (what, condition) => {
      const deadline = performance.now() + PATIENCE_MS;
      while (!condition()) {
        if (end.error !== null) throw end.error;
        if (performance.now() > deadline) throw new Error(`It did not come to this: ${what}.`);
        await sleep(LOOK_AGAIN_MS);
      }
    },
    looks: async () => {
      const before = reader.diagnostics().lookedAt ?? 0;
      const enough = before + POLL_MS * 3;
      const deadline = performance.now() + PATIENCE_MS;
      while ((reader.diagnostics().lookedAt ?? 0) < enough) {
        if (performance.now() > deadline) throw new Error('The reader does not look any more.');
        await sleep(LOOK_AGAIN_MS);
      }
    },
    stop: async () => {
      ending.abort();
      await reader.stop();
      journal.close();
      if (end.error !== null) throw end.error;
    },
  };
}
