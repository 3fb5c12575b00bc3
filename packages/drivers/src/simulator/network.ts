/**
 * The simulated phone network, which messages travel on between lines and phones.
 *
 * It is another world than the server: it has a database of its own, commits of its own, and no memory in any process.
 * Phones may be used wherever a network is opened on the same database; a line's side is for the line's driver.
 */
import type { HandOver, LookUp } from '../line-driver.ts';
import { type Autoreply, setAutoreply } from './autoreplies.ts';
import { createBatcher } from './batcher.ts';
import { doDueOnce } from './due.ts';
import { clearFaults, type Faults, faultsTopic, readFaults, setFaults } from './faults.ts';
import { type Entry, feedTopic, readEntries, readHead } from './feed.ts';
import { createGroup, type NewGroup } from './group-chats.ts';
import { edit, type Happened, markRead, react, showTyping, unsend } from './phone-acts.ts';
import { type PhonePage, type PhoneQuery, readPhoneMessages } from './phone-messages.ts';
import { addressText, type PhoneText, type Texted, type Texting, writeNamedTexts } from './phone-texts.ts';
import { TIMINGS, type Timings } from './timings.ts';
import { type LineTyping, readLineTyping } from './typing.ts';
import type { Wire } from './wire.ts';
import { type Acting, type ActOutcome, writeActs } from './wire-acts.ts';
import type { WireDatabase } from './wire-database.ts';
import { findOrVoid } from './wire-find.ts';
import { WIRE_SCHEMA } from './wire-schema.ts';
import { type Sending, type SendOutcome, writeSendings } from './wire-send.ts';

/** How many hand-overs, or texts, share one transaction. */
const BATCH_MAX = 200;

export interface SimulatorNetworkOptions {
  readonly database: WireDatabase;
  /** Unix milliseconds. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  newGuid(): string;
  readonly timings?: Partial<Timings>;
}

export interface SimulatorNetwork {
  /** Creates the network's tables where they are missing. */
  open(): Promise<void>;
  /** A phone texts a line or a group; null when there is no such group, or the phone is not in it. */
  text(text: PhoneText): Promise<Texted | null>;
  /** A phone reacts to a message, or takes its reaction off; null when it shows no such message. */
  react(reaction: Parameters<typeof react>[1]): Promise<Happened | null>;
  /** A phone changes a message of its own; null when it shows no such message. */
  edit(edited: Parameters<typeof edit>[1]): Promise<Happened | null>;
  /** A phone takes a message of its own back; null when it shows no such message. */
  unsend(unsent: Parameters<typeof unsend>[1]): Promise<Happened | null>;
  /** A phone begins or ceases to type to a line or in a group; null when it is not in it. */
  showTyping(typing: Parameters<typeof showTyping>[1]): Promise<Happened | null>;
  /** A phone reads its chat with a line, or a group; null when it is not in it. */
  markRead(reading: Parameters<typeof markRead>[1]): Promise<Happened | null>;
  /** The chats in which a phone sees a line typing just now. */
  lineTyping(phone: string): Promise<readonly LineTyping[]>;
  createGroup(group: NewGroup): Promise<{ readonly identifier: string; readonly seq: number }>;
  /** Gives a line exactly these faults. */
  setFaults(line: string, faults: Partial<Faults>): Promise<void>;
  clearFaults(line: string): Promise<void>;
  /** Makes a phone answer each message that a line sends it; null ends it. */
  setAutoreply(phone: string, autoreply: Autoreply | null): Promise<void>;
  /** What a phone shows, oldest first; null when the cursor is not one of ours. */
  phoneMessages(query: PhoneQuery): Promise<PhonePage | null>;
  /** The line's side, for its driver. */
  lineSide(line: string): LineSide;
}

export interface LineSide {
  readonly timings: Timings;
  send(sending: Omit<Sending, 'line'>): Promise<SendOutcome>;
  act(acting: Omit<Acting, 'line'>): Promise<ActOutcome>;
  findOrVoid(lost: readonly HandOver[]): Promise<ReadonlyMap<string, LookUp>>;
  readHead(): Promise<number>;
  readEntries(after: number): Promise<readonly Entry[]>;
  readFaults(): Promise<Faults>;
  doDueOnce(): Promise<number>;
  /** Calls back when there may be entries to read, or other faults. */
  onChange(listeners: { readonly entries: () => void; readonly faults: () => void }): () => void;
}

export function createSimulatorNetwork(options: SimulatorNetworkOptions): SimulatorNetwork {
  const { database } = options;
  const wire: Wire = {
    database,
    now: () => options.now(),
    random: () => options.random(),
    newGuid: () => options.newGuid(),
    timings: { ...TIMINGS, ...options.timings },
  };
  const writeText = createBatcher(BATCH_MAX, (texts: readonly Texting[]) => writeNamedTexts(wire, texts));
  const writeAct = createBatcher(BATCH_MAX, (actings: readonly Acting[]) => writeActs(wire, actings));
  const writeSending = createBatcher(BATCH_MAX, (sendings: readonly Sending[]) => writeSendings(wire, sendings));

  return {
    async open() {
      await database.define(WIRE_SCHEMA);
    },
    async text(text) {
      const addressed = await addressText(wire, text);
      return addressed === null ? null : writeText(addressed);
    },
    react: (reaction) => react(wire, reaction),
    edit: (edited) => edit(wire, edited),
    unsend: (unsent) => unsend(wire, unsent),
    showTyping: (typing) => showTyping(wire, typing),
    markRead: (reading) => markRead(wire, reading),
    lineTyping: (phone) => readLineTyping(wire, phone),
    createGroup: (group) => createGroup(wire, group),
    setFaults: (line, faults) => setFaults(wire, line, faults),
    clearFaults: (line) => clearFaults(wire, line),
    setAutoreply: (phone, autoreply) => setAutoreply(wire, phone, autoreply),
    phoneMessages: (query) => readPhoneMessages(wire, query),
    lineSide: (line) => createLineSide(wire, line, writeSending, writeAct),
  };
}

function createLineSide(
  wire: Wire,
  line: string,
  writeSending: (sending: Sending) => Promise<SendOutcome>,
  writeAct: (acting: Acting) => Promise<ActOutcome>,
): LineSide {
  return {
    timings: wire.timings,
    send: (sending) => writeSending({ ...sending, line }),
    act: (acting) => writeAct({ ...acting, line }),
    findOrVoid: (lost) => findOrVoid(wire, line, lost),
    readHead: () => readHead(wire, line),
    readEntries: (after) => readEntries(wire, line, after),
    readFaults: () => readFaults(wire, line),
    doDueOnce: () => doDueOnce(wire, line),
    onChange: ({ entries, faults }) =>
      wire.database.onWake((topic) => {
        if (topic === feedTopic(line)) entries();
        else if (topic === faultsTopic(line)) faults();
      }),
  };
}
