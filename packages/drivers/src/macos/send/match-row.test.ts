import { describe, expect, it } from 'vitest';
import type { AttachmentRow, ChatRow, MessageRow } from '../chat-db/message-row.ts';
import type { LedgerPart } from './ledger.ts';
import { isGhost, matchRow } from './match-row.ts';

const PEER = '+15550109999';
const STAGED = '/Users/ada/Library/Messages/Attachments/Trunkline/0B1C/hike.jpg';
const YES = { state: 'yes', isWhole: true };

const CHAT: ChatRow = {
  rowid: 1,
  guid: `any;-;${PEER}`,
  identifier: PEER,
  isGroup: false,
  service: 'imessage',
  displayName: null,
  accountLogin: null,
  participants: [PEER],
};
const GROUP: ChatRow = {
  ...CHAT,
  guid: 'any;+;chat1',
  identifier: 'chat1',
  isGroup: true,
  participants: [PEER, 'a@b.org'],
};

const ROW: MessageRow = {
  rowid: 11,
  guid: 'A',
  text: null,
  service: 'imessage',
  date: 0,
  isFromMe: true,
  isSent: false,
  isDelivered: false,
  deliveredAt: null,
  readAt: null,
  error: 0,
  wasDowngraded: false,
  isAudioMessage: false,
  itemType: 0,
  groupActionType: 0,
  groupTitle: null,
  associatedType: 0,
  associatedGuid: null,
  threadOriginatorGuid: null,
  balloonBundleId: null,
  effectId: null,
  isEmpty: false,
  hasAttachments: false,
  scheduleType: 0,
  scheduleState: 0,
  sender: null,
  destinationCallerId: null,
  chat: CHAT,
  attachments: [],
};
const FILE: AttachmentRow = {
  guid: 'B',
  path: STAGED,
  name: 'hike.jpg',
  mimeType: 'image/jpeg',
  transferState: 5,
  totalBytes: 9,
  isHidden: false,
};

const SENT = { file: 'file_1', filename: 'hike.jpg', mimeType: 'image/jpeg', size: 9 };

const TEXT_PART: LedgerPart = {
  reference: 'obx_1',
  part: 0,
  state: 'dispatching',
  chat: { identifier: PEER, isGroup: false },
  text: 'See https://example.com/a',
  file: null,
  stagedPath: null,
  maxRowidBefore: 10,
  dispatchedAt: 0,
  chatGuids: [],
  covered: 0,
  isOpen: true,
  guid: null,
  reason: null,
};
const FILE_PART: LedgerPart = { ...TEXT_PART, text: null, file: SENT, stagedPath: STAGED };

const withFile = (file: Partial<AttachmentRow>, row: Partial<MessageRow> = {}): MessageRow => ({
  ...ROW,
  hasAttachments: true,
  attachments: [{ ...FILE, ...file }],
  ...row,
});

describe('the row of a text', () => {
  const row = { ...ROW, text: 'See https://example.com/a' };

  it('knows a staged file by its folder, however its name is spelt', () => {
    const spelt = '/private/var/Trunkline/0B1C/Fu\u00dfga\u0308nger.jpg';
    const part = { ...FILE_PART, stagedPath: '/Users/ada/Trunkline/0B1C/Fu\u00dfg\u00e4nger.jpg' };
    const row = { ...ROW, hasAttachments: true, attachments: [{ ...FILE, path: spelt }] };
    expect(matchRow(part, row)).toMatchObject(YES);
  });

  it('stands in the chat of the recipient, however that is spelt', () => {
    expect(matchRow(TEXT_PART, row)).toMatchObject(YES);
    expect(matchRow(TEXT_PART, { ...row, rowid: 10 }).state).toBe('no');
    const spelt = { ...CHAT, identifier: '+1 (555) 010-9999', participants: [] };
    expect(matchRow(TEXT_PART, { ...row, chat: spelt })).toMatchObject(YES);
    const byOther = { ...CHAT, identifier: 'ada@example.com' };
    expect(matchRow(TEXT_PART, { ...row, chat: byOther })).toMatchObject(YES);
    expect(matchRow(TEXT_PART, { ...row, chat: { ...byOther, participants: ['ada@example.com'] } }).state).toBe('no');
    const toGroup = { ...TEXT_PART, chat: { identifier: 'chat1', isGroup: true } };
    expect(matchRow(TEXT_PART, { ...row, chat: GROUP }).state).toBe('no');
    expect(matchRow(toGroup, { ...row, chat: GROUP })).toMatchObject(YES);
    expect(matchRow(toGroup, { ...row, chat: { ...GROUP, identifier: 'chat2' } }).state).toBe('no');
    expect(matchRow(toGroup, row).state).toBe('no');
    const merged = { ...TEXT_PART, chatGuids: ['any;-;ada'] };
    expect(
      matchRow(merged, { ...row, chat: { ...CHAT, guid: 'any;-;ada', identifier: 'ada', participants: [] } }),
    ).toMatchObject(YES);
  });

  it('may be unfinished: without its chat, without its words, or before the piece in front of it', () => {
    expect(matchRow(TEXT_PART, { ...row, chat: null }).state).toBe('maybe');
    expect(matchRow(TEXT_PART, ROW).state).toBe('maybe');
    expect(matchRow(TEXT_PART, { ...ROW, text: 'https://example.com/a' }).state).toBe('maybe');
    expect(matchRow(TEXT_PART, { ...ROW, chat: null, text: 'Something else' }).state).toBe('no');
    expect(matchRow({ ...TEXT_PART, state: 'seen', covered: 3 }, ROW).state).toBe('no');
  });

  it('may be the preview of its link alone, and has no file', () => {
    const preview = { ...ROW, balloonBundleId: 'com.apple.messages.URLBalloonProvider', hasAttachments: true };
    const rest = { ...TEXT_PART, state: 'seen' as const, covered: 3 };
    const hidden = [{ ...FILE, isHidden: true }];
    expect(matchRow(rest, { ...preview, attachments: hidden })).toMatchObject(YES);
    expect(matchRow(rest, preview)).toMatchObject(YES);
    expect(matchRow(TEXT_PART, preview).state).toBe('no');
    expect(matchRow(TEXT_PART, { ...row, attachments: [FILE] }).state).toBe('no');
  });
});

describe('the row of a file', () => {
  it('has the path under which it was staged, wherever the home folder is said to be', () => {
    expect(matchRow(FILE_PART, withFile({}))).toMatchObject(YES);
    expect(matchRow(FILE_PART, withFile({ path: `/private${STAGED}` }, { chat: GROUP }))).toMatchObject(YES);
    expect(matchRow(FILE_PART, withFile({}, { chat: null })).state).toBe('maybe');
    expect(matchRow(FILE_PART, withFile({ path: STAGED.replace('0B1C', '0B1D'), totalBytes: 8 })).state).toBe('no');
  });

  it('may have a copy of it, in the chat of the recipient alone', () => {
    const path = '/Users/ada/Library/Messages/Attachments/ab/11/C/hike.jpg';
    expect(matchRow(FILE_PART, withFile({ path }))).toMatchObject(YES);
    expect(matchRow(FILE_PART, withFile({ path, totalBytes: 8 })).state).toBe('no');
    expect(matchRow(FILE_PART, withFile({ path, name: 'climb.jpg' })).state).toBe('no');
    expect(matchRow(FILE_PART, withFile({ path }, { chat: GROUP })).state).toBe('no');
  });

  it('is unfinished without its file, and the end of it with an error', () => {
    expect(matchRow(FILE_PART, ROW).state).toBe('maybe');
    expect(matchRow(FILE_PART, withFile({ path: null, name: null })).state).toBe('maybe');
    expect(matchRow(FILE_PART, { ...ROW, error: 25 })).toMatchObject(YES);
    expect(matchRow(FILE_PART, { ...ROW, error: 25, chat: null }).state).toBe('maybe');
    expect(matchRow(FILE_PART, { ...ROW, text: 'Words' }).state).toBe('no');
  });
});

describe('a row to nowhere', () => {
  const ghost: MessageRow = { ...ROW, chat: null, service: 'sms', sender: PEER };

  it('is bare, and has the recipient in place of a sender', () => {
    const { chat } = TEXT_PART;
    expect(isGhost(ghost, chat)).toBe(true);
    const others = [
      { text: 'Hi' },
      { chat: CHAT },
      { service: 'imessage' },
      { sender: 'a@b.org' },
      { sender: null },
    ] as const;
    for (const other of others) expect(isGhost({ ...ghost, ...other }, chat)).toBe(false);
    expect(isGhost({ ...ghost, hasAttachments: true }, chat)).toBe(false);
    expect(isGhost({ ...ghost, attachments: [FILE] }, chat)).toBe(false);
  });
});
