/** A fake Mac with a sender at work on it, for the sender's tests. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatAddress, OutgoingFile, SendMessage } from '../src/line-driver.ts';
import { type ChatDb, createChatDb } from '../src/macos/chat-db/chat-db.ts';
import { type Journal, openJournal } from '../src/macos/journal.ts';
import { createMacSender, type MacSender, type MacSenderOptions } from '../src/macos/send/mac-sender.ts';
import { SEND_TABLES } from '../src/macos/send/send-tables.ts';
import type { SendTimings } from '../src/macos/send/timings.ts';
import type { Outcome, Rule } from './fake-mac/behaviour.ts';
import type { Generation } from './fake-mac/generations.ts';
import { type FakeMac, startFakeMac } from './fake-mac/mac.ts';

export const PEER = '+15550109999';
export const OTHER_PEER = '+15550109998';
export const DIRECT: ChatAddress = { identifier: PEER, isGroup: false };

/** The fake's programs take their time to start; what it does after that takes milliseconds. */
const TIMINGS: SendTimings = {
  pollMs: 20,
  textRowMs: 5_000,
  fileRowMs: 5_000,
  piecesMs: 3_000,
  ghostMs: 100,
  settleMs: 300,
  textLimitMs: 10_000,
  fileLimitMs: 10_000,
  probeLimitMs: 10_000,
  openMs: 50,
};

export interface SendingMac {
  readonly mac: FakeMac;
  readonly sender: MacSender;
  readonly chatDb: ChatDb;
  /** What the sender said for whoever looks after it. */
  readonly logged: readonly string[];
  /** Another sender on the same journal, as after a crash of the first. */
  restart(timings?: Partial<SendTimings>, options?: Partial<MacSenderOptions>): MacSender;
  /** The texts of files, by name, that can be read; what has none cannot be had. */
  readonly files: { readonly contents: Map<string, string>; read: MacSenderReads };
  send(command: SendMessage): ReturnType<MacSender['send']>;
  received(identifier?: string): Promise<readonly (string | null)[]>;
  close(): Promise<void>;
}

type MacSenderReads = (file: OutgoingFile) => Promise<AsyncIterable<Uint8Array>>;

/** A Mac that has had a text from its peer, so that their chat is there. */
export async function startSendingMac({
  generation = 'golden',
  timings = {},
  service = 'imessage',
  now = Date.now,
}: {
  readonly generation?: Generation;
  readonly timings?: Partial<SendTimings>;
  readonly service?: MacSenderOptions['service'];
  readonly now?: () => number;
} = {}): Promise<SendingMac> {
  const mac = await startFakeMac({ generation });
  await mac.act('text', { from: PEER, text: 'Hello' });
  const chatDb = createChatDb({ path: mac.chatDb, home: mac.home });
  const journals: Journal[] = [];
  const senders: MacSender[] = [];
  const logged: string[] = [];
  const start = (more: Partial<SendTimings> = {}, options: Partial<MacSenderOptions> = {}): MacSender => {
    const journal = openJournal(join(mac.folder, 'journal.db'), SEND_TABLES);
    journals.push(journal);
    const sender = createMacSender({
      chatDb,
      journal,
      home: mac.home,
      osascript: mac.osascript,
      open: mac.program('open'),
      service,
      now,
      uuid: randomUUID,
      timings: { ...TIMINGS, ...timings, ...more },
      log: (_level, message, fields) => void logged.push(`${message} ${JSON.stringify(fields)}`),
      ...options,
    });
    senders.push(sender);
    return sender;
  };
  const sender = start();
  const contents = new Map<string, string>();
  const files = {
    contents,
    read: async (file: OutgoingFile) => {
      const content = contents.get(file.file);
      if (content === undefined) throw new Error('The file is gone.');
      return chunksOf(content);
    },
  };
  return {
    mac,
    sender,
    chatDb,
    logged,
    files,
    restart: start,
    send: (command) => sender.send(command, files),
    received: async (identifier = PEER) => {
      const got = await mac.act('received', { chat: identifier });
      return got.map(({ text, files: [file] }) => text ?? file?.name ?? null);
    },
    close: async () => {
      for (const one of senders) await one.close();
      for (const journal of journals) journal.close();
      chatDb.close();
      await mac.close();
    },
  };
}

export function textTo(chat: ChatAddress, reference: string, text: string | null, attempt = 1): SendMessage {
  return { kind: 'message', reference, attempt, chat, text, attachments: [], replyToGuid: null, effect: null };
}

/** A file whose bytes are these. */
export function fileOf({ files }: SendingMac, filename: string | null, content: string): OutgoingFile {
  const file = `file_${files.contents.size}`;
  files.contents.set(file, content);
  return { file, filename, mimeType: 'image/jpeg', size: Buffer.byteLength(content) };
}

/** The next event, or every event of a kind, comes out like this. */
export function arrange(
  { mac }: SendingMac,
  outcome: Outcome,
  rule: Omit<Rule, 'outcome'> = { times: 1 },
): Promise<null> {
  return mac.act('behave', { rules: [{ ...rule, outcome }] });
}

/** How Messages was told to send, in the order of being told. */
export function sendsOf({ mac }: SendingMac): readonly string[] {
  return mac.osascriptCalls().flatMap(({ kind }) => (kind?.includes(' by ') ? [kind] : []));
}

/** Whose the own rows are, as a reader asks for it. */
export function claimAll({ chatDb }: SendingMac, sender: MacSender) {
  return chatDb.ownRowsAfter(0).map((row) => sender.ownRows.claim(row));
}

/** A read that goes on in two pieces. */
async function* chunksOf(content: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content);
  yield bytes.subarray(0, 3);
  await sleep(1);
  yield bytes.subarray(3);
}
