/**
 * What the two ends of a remote line say to each other over their WebSocket: one JSON object a text frame. The agent's
 * end is a computer somewhere, so whatever it says is checked; the server's end is whom the agent was told to trust.
 *
 * Decision record 28. A change that an older end would misread gets a new version.
 */
import { z } from 'zod';
import { SEND_STYLES } from '../effect.ts';
import { CAPABILITIES, type Command, type HandOver } from '../line-driver.ts';
import { TAPBACKS } from '../tapback.ts';

export const PROTOCOL_VERSION = 1;
/** Bytes of one frame. */
export const FRAME_MAX_BYTES = 4 * 1024 * 1024;
export const CONNECT_PATH = '/bridge/v1/connect';
export const FILES_PATH = '/bridge/v1/files';
export const UPLOADS_PATH = '/bridge/v1/uploads';

/** Why the server ends a connection: the WebSocket's close code. */
export const CLOSE = {
  /** The server restarts, or gave the line up for the moment: come again. */
  goingAway: 1012,
  badFrame: 4400,
  /** The token is unknown or was revoked: coming again is of no use. */
  refused: 4401,
  /** The device names no such line, or several and the agent none. */
  noLine: 4404,
  /** Another agent holds the line. */
  held: 4409,
  version: 4426,
} as const;

const text = z.string().max(1_000_000);
const name = z.string().min(1).max(1_000);
const moment = z.number().min(-8_640_000_000_000_000).max(8_640_000_000_000_000);
const service = z.enum(['imessage', 'sms', 'rcs']);
const chat = z.object({
  identifier: name,
  isGroup: z.boolean(),
  name: text.nullable(),
  participants: z.array(name).max(10_000),
  service,
});
const attachment = z.object({
  file: name.nullable(),
  filename: text.nullable(),
  mimeType: text.nullable(),
  size: z.number().int().min(0).nullable(),
  transcription: text.nullable(),
});
const cursor = z.string().max(10_000);
const tapback = z.enum(TAPBACKS);

const event = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('message'),
    cursor,
    guid: name,
    chat,
    isFromMe: z.boolean(),
    sender: name,
    text: text.nullable(),
    attachments: z.array(attachment).max(1_000),
    isAudioMessage: z.boolean(),
    service,
    sentAt: moment,
    replyToGuid: name.nullable(),
    effect: z.enum(SEND_STYLES).nullable(),
    reference: name.nullable(),
    itemPart: z.number().int().min(0).max(10_000),
    isWholeItem: z.boolean(),
    isOld: z.boolean(),
    deliveredAt: moment.nullable(),
    readAt: moment.nullable(),
    awaits: z.object({ what: z.enum(['preview', 'attachment']), until: moment }).nullable(),
  }),
  z.object({ kind: z.literal('part'), cursor, guid: name, partOf: name }),
  z.object({ kind: z.literal('attachment'), cursor, guid: name, place: z.number().int().min(0), attachment }),
  z.object({
    kind: z.literal('reaction'),
    cursor,
    target: name,
    type: tapback,
    added: z.boolean(),
    isFromMe: z.boolean(),
    sender: name,
    at: moment,
    reference: name.nullable(),
  }),
  z.object({ kind: z.literal('typing'), cursor, chat, handle: name, isTyping: z.boolean(), at: moment }),
  z.object({ kind: z.literal('read'), cursor, chat, handle: name, at: moment }),
  z.object({ kind: z.literal('edited'), cursor, guid: name, text, at: moment }),
  z.object({ kind: z.literal('unsent'), cursor, guid: name, at: moment }),
  z.object({ kind: z.literal('transcription'), cursor, guid: name, transcription: text }),
  z.object({ kind: z.literal('receipt'), cursor, receipt: z.enum(['delivered', 'read']), guid: name, at: moment }),
  z.object({ kind: z.literal('chat'), cursor, chat }),
  z.object({ kind: z.literal('failure'), cursor, reference: name, reason: text }),
  z.object({ kind: z.literal('cursor'), cursor }),
]);

const disposition = z.discriminatedUnion('state', [
  z.object({ state: z.literal('sent'), guid: name }),
  z.object({ state: z.literal('accepted') }),
  z.object({ state: z.literal('done') }),
  z.object({ state: z.literal('not_started'), reason: text }),
  z.object({ state: z.literal('failed'), reason: text }),
  z.object({ state: z.literal('unknown'), reason: text }),
]);

const lookUp = z.discriminatedUnion('state', [
  z.object({ state: z.literal('found'), guid: name }),
  z.object({ state: z.literal('done') }),
  z.object({ state: z.literal('not_started') }),
  z.object({ state: z.literal('unknown') }),
]);

const capabilities = z.partialRecord(z.enum(CAPABILITIES), z.boolean());
const id = z.number().int().min(1);

const hello = z.object({
  type: z.literal('hello'),
  version: z.number().int(),
  /** The line's handle; null where the device has one line alone. */
  line: name.nullable(),
  /** Names this agent over its restarts. */
  instance: name,
  agent: z.object({ version: name, platform: name, driver: name }),
});

const agentFrame = z.discriminatedUnion('type', [
  hello,
  /** The driver has started and may be sent to. */
  z.object({ type: z.literal('ready'), capabilities, inFlight: z.number().int().min(1).max(1_000) }),
  /** Events numbered from `first` on, each connection from 1. */
  z.object({ type: z.literal('report'), first: id, events: z.array(event).min(1).max(1_000) }),
  z.object({
    type: z.literal('health'),
    state: z.enum(['online', 'degraded', 'offline']),
    reason: text.nullable(),
    capabilities,
  }),
  z.object({ type: z.literal('outcome'), id, disposition }),
  z.object({ type: z.literal('found'), id, answers: z.record(name, lookUp) }),
  /** The driver ended: by an error, or null as it was told to. */
  z.object({ type: z.literal('ended'), error: text.nullable() }),
  z.object({ type: z.literal('time'), asked: z.number(), at: moment }),
]);

export type AgentFrame = z.infer<typeof agentFrame>;
export type Hello = z.infer<typeof hello>;

export type ServerFrame =
  | {
      readonly type: 'welcome';
      readonly version: number;
      readonly line: { readonly handle: string; readonly service: 'imessage' | 'sms' | 'auto' };
      /** Where the driver goes on reading; null: the line's first start. */
      readonly cursor: string | null;
    }
  /** Every event up to this number is committed. */
  | { readonly type: 'committed'; readonly upTo: number }
  /** These events, and what was sent behind them, are not: they are to be reported again. */
  | { readonly type: 'rejected'; readonly first: number; readonly reason: string }
  | { readonly type: 'send'; readonly id: number; readonly command: Command }
  | { readonly type: 'find'; readonly id: number; readonly lost: readonly HandOver[] }
  | { readonly type: 'stop' }
  /** Asks what time it is; `asked` is given back as it is. */
  | { readonly type: 'time'; readonly asked: number };

class BadFrameError extends Error {
  constructor(why: string) {
    super(`The other end said what cannot be understood: ${why}.`);
    this.name = 'BadFrameError';
  }
}

/** What databases have no place for, in JSON. No line shows it either. */
const NUL = '\\u0000';

/** Throws `BadFrameError`. */
export function readAgentFrame(data: string): AgentFrame {
  const frame = agentFrame.safeParse(parse(data, data.includes(NUL) ? withoutNul : undefined));
  if (!frame.success) throw new BadFrameError(z.prettifyError(frame.error).split('\n')[0] ?? 'it is no frame');
  return frame.data;
}

const SERVER_TYPES: ReadonlySet<unknown> = new Set([
  'welcome',
  'committed',
  'rejected',
  'send',
  'find',
  'stop',
  'time',
] satisfies ServerFrame['type'][]);

/** The server is trusted to mean what it says; what a newer one says is refused. */
export function readServerFrame(data: string): ServerFrame {
  const frame = parse(data);
  if (!isServerFrame(frame)) throw new BadFrameError('this version does not know the frame');
  return frame;
}

function isServerFrame(frame: unknown): frame is ServerFrame {
  return typeof frame === 'object' && frame !== null && 'type' in frame && SERVER_TYPES.has(frame.type);
}

function withoutNul(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '') : value;
}

function parse(data: string, reviver?: (key: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(data, reviver);
  } catch {
    throw new BadFrameError('it is not JSON');
  }
}
