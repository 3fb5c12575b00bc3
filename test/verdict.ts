/** Compares what was acknowledged to clients with what the phones, the database and the webhook's receiver have. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isRefused, type Load } from './load.ts';
import { airCounts, eventsAfter, ledger, numberFrom, type Oracle, phoneTexts, storedCounts } from './oracle.ts';
import type { WebhookWitness } from './webhook-witness.ts';

const SETTLED_WITHIN_MS = 60_000;
const POLL_MS = 25;

export interface Verdict {
  readonly accepted: number;
  /** Accepted items that failed for a reason, as the phone that takes no message makes them. */
  readonly refused: number;
  /** Accepted items that did not end as they should, each with what became of it. */
  readonly lost: readonly string[];
  /** Outbox items of which more than one message reached the air. */
  readonly doubled: readonly string[];
  readonly heard: number;
  /** Texts of phones that are not stored exactly once, and acknowledged ones that the network does not know. */
  readonly misheard: readonly string[];
  readonly events: number;
  readonly deliveries: number;
  readonly repeated: number;
  /** Events that never reached the receiver, or did under more than one delivery id. */
  readonly misdelivered: readonly string[];
  /** Deliveries that a careful receiver would refuse. */
  readonly complaints: readonly string[];
  /** Answers that no client of a healthy server gets. */
  readonly surprises: readonly string[];
}

/** What a verdict must say beside its counts. */
export const FAULTLESS = {
  lost: [],
  doubled: [],
  misheard: [],
  misdelivered: [],
  complaints: [],
  surprises: [],
} as const satisfies Partial<Verdict>;

export interface Evidence {
  readonly oracle: Oracle;
  readonly load: Load;
  readonly witness: WebhookWitness;
  /** The newest event when the webhook was made: it is told of what comes after. */
  readonly afterSeq: number;
}

/** Resolves when nothing is under way any more, or when it has taken too long: the verdict will show it. */
export async function settled({ wire, store }: Oracle): Promise<void> {
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  while (performance.now() < deadline) {
    const open = await numberFrom(store, 'select count(*) as n from outbox where completed_at is null');
    const due = await numberFrom(store, "select count(*) as n from deliveries where state in ('new', 'retry')");
    const onAir = await numberFrom(wire, 'select count(*) as n from messages where echoes = 1');
    const stored = await numberFrom(store, 'select count(*) as n from messages');
    if (open === 0 && due === 0 && onAir === stored) return;
    await sleep(POLL_MS);
  }
}

export async function judge({ oracle, load, witness, afterSeq }: Evidence): Promise<Verdict> {
  const { wire, store } = oracle;
  const onAir = await airCounts(wire);
  const texts = await phoneTexts(wire);
  const stored = await storedCounts(store);
  const items = await ledger(store);
  const events = (await eventsAfter(store, afterSeq)).filter(({ type }) => witness.wants.has(type));
  const told = events.map(({ type, messageId }) => `${type} ${messageId}`);
  const deliveries = told.flatMap((key) => witness.deliveries.get(key) ?? []);

  const lost = [...load.accepted].flatMap(([id, recipient]) => {
    const item = items.get(id);
    const times = onAir.get(id) ?? 0;
    const endedWell = isRefused(recipient)
      ? item?.state === 'failed' && item.error !== null && item.error !== '' && times === 0
      : item?.state === 'sent' && times > 0;
    return endedWell ? [] : [`${id} to ${recipient}: ${JSON.stringify(item ?? 'not there')}, ${times} on the air`];
  });
  return {
    accepted: load.accepted.size,
    refused: [...load.accepted.values()].filter(isRefused).length,
    lost,
    doubled: [...onAir].filter(([, times]) => times > 1).map(([id, times]) => `${id}: ${times} on the air`),
    heard: load.heard.size,
    misheard: [
      ...[...texts].filter((guid) => stored.get(guid) !== 1).map((guid) => `${guid}: stored ${stored.get(guid) ?? 0}`),
      ...[...load.heard].filter((guid) => !texts.has(guid)).map((guid) => `${guid}: not on the network`),
    ],
    events: events.length,
    deliveries: deliveries.length,
    repeated: deliveries.length - new Set(deliveries).size,
    misdelivered: told.filter((key) => new Set(witness.deliveries.get(key)).size !== 1),
    complaints: witness.complaints,
    surprises: load.surprises,
  };
}

/** One line of figures for whoever reads the run. */
export function figures(title: string, verdict: Verdict): string {
  const { accepted, refused, lost, doubled, heard, misheard, events, deliveries, repeated, misdelivered } = verdict;
  return [
    `${title}: ${accepted} accepted (${refused} of them refused by their phone), ${lost.length} lost`,
    `${doubled.length} doubled; ${heard} texts heard, ${misheard.length} not stored once`,
    `${events} events, ${deliveries} deliveries, ${repeated} of them repeated, ${misdelivered.length} events missing`,
  ].join(', ');
}
