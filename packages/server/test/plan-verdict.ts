/** Holds the plans of now against the filed ones, and every full scan against the list of those that are meant. */
import type { EngineKind } from '../src/store/database.ts';
import { planText, type QueryPlan } from './query-plan.ts';

interface FullScan {
  readonly steps: readonly string[];
  /** As `QueryPlan.scans` names it, on any engine. */
  readonly scans: readonly string[];
  readonly reason: string;
}

const ENGINE_NAMES = { sqlite: 'SQLite', postgres: 'PostgreSQL' } as const;

/** What may be read from end to end, and why that is no harm. */
export const FULL_SCANS: readonly FullScan[] = [
  {
    steps: ["record a driver's report", 'record a report of the sandbox line', 'the chats of messages'],
    scans: ['lines', 'lines by lines_pkey', 'line_health by line_health_pkey'],
    reason: 'The scene itself reads the registry of lines, which the server keeps in memory.',
  },
  {
    steps: ['is an echo overdue', 'give up on echoes'],
    scans: ['outbox by outbox_under_way', 'outbox_under_way'],
    reason: 'The index holds only the items under way, which are few and all of them asked about.',
  },
  {
    steps: ['is an echo overdue', 'give up on echoes', 'take a lease', 'refuse to write to who opted out'],
    scans: ['lines'],
    reason: 'Each looks whether a line was removed; lines are few, and PostgreSQL reads a small table whole.',
  },
  {
    steps: ['accept on the sandbox line', 'opt contacts out and in', "record a driver's report"],
    scans: ['accounts'],
    reason:
      'An account is locked while its opt-outs change: PostgreSQL reads a small table whole, and a large one by its key.',
  },
  {
    steps: ['guard a write', 'drop the answers of a commit'],
    scans: ['unanswered', 'lost_answers', 'lost_answers by sqlite_autoindex_lost_answers_1'],
    reason: 'A row of unanswered lives for milliseconds, so there are few; of lost answers the first one is enough.',
  },
  {
    steps: ["record a driver's report", 'record a report of the sandbox line'],
    scans: ['held_messages'],
    reason: 'A message is held for seconds: PostgreSQL finds the few rows sooner without the index.',
  },
  {
    steps: ["record a driver's report", 'record a report of the sandbox line'],
    scans: ['typing_indicators by typing_expiring'],
    reason: 'The index holds only those who type just now.',
  },
  {
    steps: ['a page of messages'],
    scans: ['lines'],
    reason: "A page's messages are joined with the lines, which are few.",
  },
  {
    steps: ['messages by their GUID'],
    scans: ['lines by sqlite_autoindex_lines_1'],
    reason: 'A GUID is looked up once for each line, and lines are few.',
  },
  {
    steps: ['a device for its operator', "a page of an account's devices"],
    scans: ['lines'],
    reason: 'The few lines of devices are looked up by their refs; PostgreSQL reads a small table whole.',
  },
  {
    steps: ['webhooks with new deliveries'],
    scans: ['deliveries by deliveries_new'],
    reason: 'The index holds only what no lane has begun.',
  },
  {
    steps: ['next retries', 'active webhooks'],
    scans: ['webhooks', 'webhooks by webhooks_by_line', 'accounts', 'lines by lines_pkey'],
    reason: 'All active webhooks are asked for, and nearly all are active; each has its account.',
  },
  {
    steps: ['remove old deliveries', 'remove old events'],
    scans: ['webhooks'],
    reason: 'Webhooks are few beside their deliveries, and those that were deleted are looked for too.',
  },
  {
    steps: ['what waits'],
    scans: [
      'deliveries by deliveries_new',
      'deliveries by deliveries_retry',
      'outbox by outbox_pending',
      'outbox by outbox_fetching',
      'outbox by outbox_waiting',
      'outbox by outbox_under_way',
      'outbox_under_way',
      'lines',
    ],
    reason: 'Each index holds only what is counted, every count has a bound, and lines are few.',
  },
  {
    steps: ['the ends of the event log'],
    scans: ['installation'],
    reason: 'A handful of facts: PostgreSQL reads the one page of them sooner without the index.',
  },
];

/** The file of one engine's plans. */
export function plansText(kind: EngineKind, plans: readonly QueryPlan[]): string {
  const steps = [...new Set(plans.map((plan) => plan.step))];
  const parts = steps.map((step) => {
    const own = plans.filter((plan) => plan.step === step).map(planText);
    return `## ${step}\n\n${own.join('\n\n')}\n`;
  });
  return `# How ${ENGINE_NAMES[kind]} runs the hot queries. Made by \`npm run generate\`; a test compares.\n\n${parts.join('\n')}`;
}

/** A sentence for each plan that is not the filed one and for each full scan that nobody meant. */
export function planProblems(kind: EngineKind, plans: readonly QueryPlan[], filed: string): readonly string[] {
  return [
    ...plans.flatMap((plan) =>
      newScans(plan).map((scan) => `"${plan.step}" makes a full scan of ${scan}: ${planText(plan)}`),
    ),
    ...plans
      .filter((plan) => !filed.includes(`${planText(plan)}\n`))
      .map((plan) => `"${plan.step}" has a plan that is not filed: ${planText(plan)}`),
    ...(plansText(kind, plans) === filed
      ? []
      : ['The file of plans is not that of now: run `npm run generate` and read the diff.']),
  ];
}

/** Reasons for full scans that no plan makes any more. */
export function needlessReasons(plans: readonly QueryPlan[]): readonly string[] {
  return FULL_SCANS.flatMap(({ steps, scans }) => [
    ...steps.filter(
      (step) => !plans.some((plan) => plan.step === step && plan.scans.some((scan) => scans.includes(scan))),
    ),
    ...scans.filter((scan) => !plans.some((plan) => steps.includes(plan.step) && plan.scans.includes(scan))),
  ]);
}

function newScans(plan: QueryPlan): readonly string[] {
  const meant = FULL_SCANS.filter(({ steps }) => steps.includes(plan.step)).flatMap(({ scans }) => scans);
  return plan.scans.filter((scan) => !meant.includes(scan));
}
