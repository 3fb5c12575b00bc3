/** The sandbox line as your account has it. */
export interface SandboxState {
  /** `pending` while a phone may be paired by the code. */
  status: 'missing' | 'pending' | 'active';
  /** What to text to the sandbox line; null where there is no code now. */
  activationCode: string | null;
  /** The sandbox line's handle. */
  sandboxLineHandle: string;
  /** The phone that is paired. */
  contactIdentifier: string | null;
  /** When it was. */
  activatedAt: number | null;
  /** The messages of the day. */
  usage: { used: number; limit: number; remaining: number; resetsAt: number };
  /** Of the request. */
  requestId?: string | undefined;
}
