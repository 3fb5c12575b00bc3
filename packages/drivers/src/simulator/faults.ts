/** Faults that a line was given: durable, and felt by its driver in whatever process that runs. */
import { feedTopic } from './feed.ts';
import { statement, textOrNull, type Wire } from './wire.ts';

export interface Faults {
  /** How long a hand-over takes to be answered, and a message to be delivered. */
  readonly latencyMs: number;
  /** Up to so much more, at random. */
  readonly jitterMs: number;
  /** In [0, 1]: how many sends fail for good. */
  readonly failRate: number;
  /** In [0, 1]: how many sends go out without the line ever saying so. */
  readonly dropEchoRate: number;
  /** In [0, 1]: how many entries are reported twice. */
  readonly duplicateRate: number;
  /** Neighbouring entries of different chats change places. */
  readonly reorder: boolean;
  /** The line cannot be reached. */
  readonly offline: boolean;
}

export const NO_FAULTS: Faults = {
  latencyMs: 0,
  jitterMs: 0,
  failRate: 0,
  dropEchoRate: 0,
  duplicateRate: 0,
  reorder: false,
  offline: false,
};

const UPSERT_FAULTS = statement(
  { line: 'text', faults: 'text' },
  `insert into lines (line, head, faults) select i.line, 0, i.faults {from items} where true
   on conflict (line) do update set faults = excluded.faults`,
);
const SELECT_FAULTS = statement({ line: 'text' }, 'select faults from lines {, items} where lines.line = i.line');

/** Gives a line exactly these faults: what is not named is not at fault. */
export function setFaults(wire: Wire, line: string, faults: Partial<Faults>): Promise<void> {
  return writeFaults(wire, line, JSON.stringify({ ...NO_FAULTS, ...faults }));
}

export function clearFaults(wire: Wire, line: string): Promise<void> {
  return writeFaults(wire, line, null);
}

async function writeFaults(wire: Wire, line: string, faults: string | null): Promise<void> {
  await wire.database.transaction((tx) => tx.each(UPSERT_FAULTS, [{ line, faults }]));
  wire.database.wake(faultsTopic(line));
  wire.database.wake(feedTopic(line));
}

export function faultsTopic(line: string): string {
  return `simulator-faults:${line}`;
}

export async function readFaults(wire: Wire, line: string): Promise<Faults> {
  const [row] = await wire.database.read(SELECT_FAULTS, [{ line }]);
  const text = row === undefined ? null : textOrNull(row, 'faults');
  return text === null ? NO_FAULTS : parseFaults(text);
}

function parseFaults(text: string): Faults {
  const value: unknown = JSON.parse(text);
  const stored = new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  const rate = (name: keyof Faults): number => {
    const number: unknown = stored.get(name);
    return typeof number === 'number' ? number : 0;
  };
  return {
    latencyMs: rate('latencyMs'),
    jitterMs: rate('jitterMs'),
    failRate: rate('failRate'),
    dropEchoRate: rate('dropEchoRate'),
    duplicateRate: rate('duplicateRate'),
    reorder: stored.get('reorder') === true,
    offline: stored.get('offline') === true,
  };
}
