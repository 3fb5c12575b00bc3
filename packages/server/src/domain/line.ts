/** A line: one handle through which messages leave and arrive. */
export interface Line {
  readonly ref: number;
  readonly id: string;
  readonly accountRef: number;
  /** E.164 or a lower-case e-mail. */
  readonly handle: string;
  readonly label: string | null;
  readonly service: 'imessage' | 'sms' | 'auto';
  /** Which driver reaches it. */
  readonly kind: 'simulator' | 'remote';
  readonly isActive: boolean;
  readonly isSandbox: boolean;
  /** Whether a contact must have written before it may be written to. */
  readonly contactFirst: boolean;
  /** Whether a phone opts out by texting STOP, and in again by START. */
  readonly optOutKeywords: boolean;
  /** What its driver can do; null where no driver has said so yet. */
  readonly capabilities: readonly string[] | null;
  /** The least time between two hand-overs, in milliseconds. 0: none. */
  readonly paceMs: number;
}

/** Of a line of which nobody has said it: what reaches people should not look like a machine. 0: none. */
export const DEFAULT_PACE_MS: Readonly<Record<Line['kind'], number>> = { simulator: 0, remote: 1_000 };

/** Whether an agent on another computer reaches it, and not this server by itself. */
export function isReachedFromAfar(line: Pick<Line, 'kind'>): boolean {
  return line.kind === 'remote';
}

export function lineLane(lineRef: number): string {
  return `line ${lineRef}`;
}
