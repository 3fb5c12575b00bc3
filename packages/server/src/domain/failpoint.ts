/**
 * Named places on the walks of a message, one at every arrow: a test can stop or kill the process there. In production
 * reaching one does nothing.
 */
export const FAILPOINTS = [
  'accept.before_commit',
  'accept.committed',
  'fetch.before_commit',
  'fetch.committed',
  'claim.committed',
  'hand_over.before',
  'hand_over.after',
  'echo.before_commit',
  'echo.committed',
  'settle.before_commit',
  'delivery.before_post',
  'delivery.answered',
  'delivery.recorded',
] as const;
export type Failpoint = (typeof FAILPOINTS)[number];

/** Resolves when the process may go on. */
export type ReachFailpoint = (name: Failpoint) => Promise<void> | undefined;

export const noFailpoints: ReachFailpoint = () => undefined;
