/** The macOS driver as the conformance suite wants it, on a fake Mac of real processes. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ArrangedOutcome, FarSide, LineHarness } from '../src/conformance.ts';
import type { ChatAddress, DriverFiles } from '../src/line-driver.ts';
import { openMac } from '../src/macos/mac.ts';
import type { Outcome } from './fake-mac/behaviour.ts';
import type { Generation } from './fake-mac/generations.ts';
import { type FakeMac, startFakeMac } from './fake-mac/mac.ts';

export const MACOS_CANNOT = [
  'offline',
  'crash',
  'replies',
  'effects',
  'audio',
  'reactions',
  'typing',
  'receipts',
  'edits',
] as const;

const PEER = '+15550109999';
const OTHER_PEER = '+15550109998';
const ARRANGED: Readonly<
  Record<Exclude<ArrangedOutcome, 'crash'>, { readonly peer: string; readonly outcome: Outcome }>
> = {
  failed: { peer: '+15550109400', outcome: { does: 'ghost' } },
  unknown: { peer: '+15550109408', outcome: { does: 'hang', writesRow: false } },
  not_started: { peer: '+15550109503', outcome: { does: 'refuse', error: -1743 } },
};
const READER = { pollMs: 15, fullLookMs: 2_000, reportRetryMs: 2, unreadableRetryMs: 20 };
const SENDER = {
  pollMs: 10,
  textRowMs: 2_000,
  fileRowMs: 2_000,
  piecesMs: 50,
  ghostMs: 150,
  settleMs: 400,
  textLimitMs: 1_500,
};

export async function makeMacosHarness(generation: Generation = 'golden'): Promise<LineHarness> {
  const fake = await startFakeMac({ generation });
  const mac = await openMac({
    home: fake.home,
    journal: join(fake.folder, 'journal.sqlite'),
    chatDb: fake.chatDb,
    osascript: fake.osascript,
    open: fake.program('open'),
    now: Date.now,
    log: () => undefined,
    readerTimings: READER,
    sendTimings: SENDER,
  });
  return {
    line: fake.line,
    far: createFarSide(fake),
    files: FILES,
    now: Date.now,
    random: Math.random,
    createDriver: (context) => mac.createDriver({ handle: fake.line, service: 'imessage' }, context),
    async close() {
      await mac.close();
      await fake.close();
    },
  };
}

/** A file's bytes are its id, so that whoever gets them says which file it was. */
const FILES: DriverFiles = {
  read: async ({ file, size }) => Readable.from([bytesOf(file, size)]),
  write: async ({ path }) => idIn(await readFile(path, 'utf8')),
};

function bytesOf(file: string, size: number): Buffer {
  return Buffer.from(file.padEnd(size));
}

function idIn(bytes: string): string {
  return bytes.trimEnd();
}

function createFarSide(fake: FakeMac): FarSide {
  const guidOf = async (made: Promise<{ readonly guid: string }>): Promise<string> => (await made).guid;
  return {
    peer: PEER,
    otherPeer: OTHER_PEER,
    text: (from, text, group) => guidOf(fake.act('text', { from, text, ...(group === undefined ? {} : { group }) })),
    textInParts: (from) => {
      const url = 'https://example.com/hike';
      return guidOf(fake.act('textWithPreview', { from, text: `Look: ${url}`, url, previewAfterMs: 300 }));
    },
    sendFile: (from, { file, filename, mimeType, size }) => {
      const bytes = bytesOf(file ?? '', size ?? 0).toString('base64');
      return guidOf(fake.act('files', { from, parts: [{ file: { name: filename ?? 'file', mimeType, bytes } }] }));
    },
    createGroup: async (participants, name) => {
      const { chat } = await fake.act('createGroup', { participants, name: null });
      // A group that nobody has said anything in has no row; a Mac hears of it by its first one.
      await fake.act('renameGroup', { group: chat, by: participants[0] ?? PEER, name });
      return chat;
    },
    received: (chat) => received(fake, chat),
    arrange: (outcome) => arrange(fake, outcome),
    ...cannot(),
  };
}

async function received(fake: FakeMac, { identifier }: ChatAddress): ReturnType<FarSide['received']> {
  const got = await fake.act('received', { chat: identifier });
  return Promise.all(
    got.map(async ({ guid, text, files }) => ({
      guid,
      text,
      attachments: await Promise.all(files.map(async ({ path }) => ({ file: idIn(await textOf(path)) }))),
      isAudioMessage: false,
      replyToGuid: null,
      effect: null,
      reactions: [],
    })),
  );
}

async function textOf(path: string): Promise<string> {
  let text = '';
  for await (const piece of createReadStream(path, 'utf8')) text += String(piece);
  return text;
}

async function arrange(fake: FakeMac, outcome: ArrangedOutcome): Promise<ChatAddress> {
  if (outcome === 'crash') throw new Error('A Mac does not end its driver.');
  const { peer, outcome: does } = ARRANGED[outcome];
  await fake.act('createDirectChat', { peer });
  await fake.act('behave', { rules: [{ when: { to: peer }, outcome: does }] });
  return { identifier: peer, isGroup: false };
}

type Deed = Exclude<
  keyof FarSide,
  'peer' | 'otherPeer' | 'text' | 'textInParts' | 'sendFile' | 'createGroup' | 'received' | 'arrange'
>;

/** What Messages cannot be told to do, or is not looked for yet. */
function cannot(): Pick<FarSide, Deed> {
  const refuse = () => Promise.reject(new Error('This is not looked for on a Mac.'));
  return {
    textWithEffect: refuse,
    sendVoiceMemo: refuse,
    react: refuse,
    edit: refuse,
    unsend: refuse,
    showTyping: refuse,
    markRead: refuse,
    seesTyping: refuse,
    readByLine: refuse,
    setOffline: refuse,
  };
}
