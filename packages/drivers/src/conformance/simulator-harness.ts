/** The simulator as the conformance suite wants it, with short timings, on whatever database it is given. */

import type { DriverFiles } from '../line-driver.ts';
import { createSimulatorDriver } from '../simulator/driver.ts';
import { createSimulatorNetwork, type SimulatorNetwork } from '../simulator/network.ts';
import type { Timings } from '../simulator/timings.ts';
import type { WireDatabase, WireRow } from '../simulator/wire-database.ts';
import type { ArrangedOutcome, FarSide, LineHarness } from './line-harness.ts';
import { createRandom } from './random.ts';

export const LINE = '+15550100001';
export const PEER = '+15550109999';
export const OTHER_PEER = '+15550109998';
const STARTED_AT = 1_790_000_000_000;

const FAST: Partial<Timings> = {
  pollMs: 10,
  reportRetryMs: 2,
  slowMs: 80,
  autoreplyMs: 20,
  previewMs: 20,
  previewHoldMs: 2_000,
};

/** Files go through the simulator by their ids alone. */
const NO_FILES: DriverFiles = {
  read: () => Promise.reject(new Error('The simulator reads no bytes.')),
  write: () => Promise.reject(new Error('The simulator brings no bytes.')),
};

const ARRANGED: Readonly<Record<ArrangedOutcome, string>> = {
  failed: '+15550100400',
  unknown: '+15550100408',
  not_started: '+15550100503',
  crash: '+15550100500',
};

/** A fresh database for one test, and the way to be rid of it. */
export type OpenWireDatabase = () => Promise<{ readonly database: WireDatabase; close(): Promise<void> }>;

export interface SimulatorHarness extends LineHarness {
  readonly network: SimulatorNetwork;
  /** Looks at the tables past the network, as an oracle in another process does. */
  query(sql: string): Promise<WireRow[]>;
  /** Lets no time pass, so that nothing falls due, until what it returns is called. */
  holdClock(): () => void;
}

export async function makeSimulatorHarness(open: OpenWireDatabase): Promise<SimulatorHarness> {
  const { database, close } = await open();
  let guids = 0;
  let heldAt: number | null = null;
  const now = (): number => heldAt ?? STARTED_AT + Math.floor(performance.now());
  const random = createRandom(1);
  const newGuid = (): string => {
    guids += 1;
    return `GUID-${String(guids).padStart(6, '0')}`;
  };
  const network = createSimulatorNetwork({ database, now, random, newGuid, timings: FAST });
  await network.open();
  return {
    line: LINE,
    far: createFarSide(network),
    files: NO_FILES,
    now,
    random,
    network,
    createDriver: (context) => createSimulatorDriver({ network, line: LINE, context }),
    query: (sql) => database.read({ sql: `select found.* from (${sql}) as found {, items}`, columns: {} }, [{}]),
    holdClock: () => {
      heldAt = now();
      return () => {
        heldAt = null;
      };
    },
    close,
  };
}

type Deeds = Pick<
  FarSide,
  | 'textWithEffect'
  | 'sendFile'
  | 'sendVoiceMemo'
  | 'react'
  | 'edit'
  | 'unsend'
  | 'showTyping'
  | 'markRead'
  | 'seesTyping'
  | 'readByLine'
>;

function createDeeds(network: SimulatorNetwork): Deeds {
  const plain = { replyToGuid: null, effect: null };
  const sent = (texted: { readonly guid: string } | null): string => {
    if (texted === null) throw new Error('The phone could not send this.');
    return texted.guid;
  };
  const done = (happened: object | null): void => {
    if (happened === null) throw new Error('The phone could not do this.');
  };
  return {
    textWithEffect: async (from, text, effect) => {
      const styled = { text, attachments: [], isAudio: false, replyToGuid: null, effect };
      return sent(await network.text({ from, to: LINE, text: styled }));
    },
    sendFile: async (from, file) => {
      const text = { ...plain, text: '', attachments: [file], isAudio: false };
      return sent(await network.text({ from, to: LINE, text }));
    },
    sendVoiceMemo: async (from, file, transcription) => {
      const text = { ...plain, text: '', attachments: [file], isAudio: true };
      return sent(await network.text({ from, to: LINE, text, transcribed: { transcription, afterMs: 20 } }));
    },
    react: async (from, guid, type, added) => done(await network.react({ from, guid, type, added })),
    edit: async (from, guid, text) => done(await network.edit({ from, guid, text })),
    unsend: async (from, guid) => done(await network.unsend({ from, guid })),
    showTyping: async (from, isTyping) => done(await network.showTyping({ from, to: LINE, isTyping })),
    markRead: async (from) => done(await network.markRead({ from, to: LINE })),
    seesTyping: async (peer) => (await network.lineTyping(peer)).some(({ line }) => line === LINE),
    readByLine: async (peer) => {
      const page = await network.phoneMessages({ phone: peer, lines: [LINE] });
      return (page?.messages ?? []).filter(({ fromMe, state }) => fromMe && state === 'read').map(({ guid }) => guid);
    },
  };
}

function createFarSide(network: SimulatorNetwork): FarSide {
  const text = async (from: string, text: string, group?: string): Promise<string> => {
    const texted = await network.text({ from, to: group ?? LINE, text });
    if (texted === null) throw new Error('There is no such group.');
    return texted.guid;
  };
  return {
    peer: PEER,
    otherPeer: OTHER_PEER,
    text,
    textInParts: (from) => text(from, 'Look: https://example.com/hike'),
    ...createDeeds(network),
    createGroup: async (participants, name) =>
      (await network.createGroup({ line: LINE, participants, name })).identifier,
    received: async (chat) => {
      const page = await network.phoneMessages({ phone: chat.isGroup ? PEER : chat.identifier, lines: [LINE] });
      const messages = page?.messages ?? [];
      return messages.filter((message) => message.sender === LINE && message.chatIdentifier === chat.identifier);
    },
    setOffline: (offline) => (offline ? network.setFaults(LINE, { offline }) : network.clearFaults(LINE)),
    arrange: async (outcome) => ({ identifier: ARRANGED[outcome], isGroup: false }),
  };
}
