/** How long things take on the simulated network. Tests hand in shorter ones. */

export interface Timings {
  /** The driver looks at its line this often, whether it was woken or not. */
  readonly pollMs: number;
  /** How long a report that was refused is left alone. */
  readonly reportRetryMs: number;
  /** How long a hand-over to the slow handle takes. */
  readonly slowMs: number;
  /** A phone that answers by itself does so after this time. */
  readonly autoreplyMs: number;
  /** The second row of a link preview comes this long after its message. */
  readonly previewMs: number;
  /** How long a message with a link may wait for its preview. */
  readonly previewHoldMs: number;
  /** A line that nobody says has stopped is shown as typing for this long. */
  readonly typingMs: number;
}

export const TIMINGS: Timings = {
  pollMs: 250,
  reportRetryMs: 250,
  slowMs: 10_000,
  autoreplyMs: 300,
  previewMs: 600,
  previewHoldMs: 2_000,
  typingMs: 60_000,
};
