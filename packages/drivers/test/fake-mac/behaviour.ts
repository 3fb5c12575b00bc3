/** How a fake Messages answers Apple events (h.3). Without a rule that fits, it works. */

export interface Rule {
  /** Every condition must hold; without any, every event fits. */
  readonly when?: {
    readonly what?: AppleEventKind;
    /** What the target's identifier or handle ends with. */
    readonly to?: string;
    readonly textHas?: string;
  };
  readonly outcome: Outcome;
  /** It holds for so many events; without it, for all. */
  readonly times?: number;
}

export type AppleEventKind = 'text' | 'file' | 'chat' | 'chats' | 'accounts' | 'name';

export type Outcome =
  | { readonly does: 'work' }
  /** A text with links becomes several rows (a.5). */
  | { readonly does: 'split' }
  /** Success and a row that is sent nowhere (d.4). */
  | { readonly does: 'ghost' }
  /** Success, and no row ever. */
  | { readonly does: 'nothing' }
  /** An error of the look-up: nothing was sent. */
  | { readonly does: 'refuse'; readonly error: number }
  /** An error of the send itself, with the row written or not (d.5). */
  | { readonly does: 'break'; readonly error: number; readonly writesRow: boolean }
  /** The event is never answered, with the row written or not. */
  | { readonly does: 'hang'; readonly writesRow: boolean }
  /** The row comes, and later an error in it (d.6). */
  | { readonly does: 'fail'; readonly error: number; readonly afterMs: number }
  /** The file could not be read: a row with U+FFFC, no attachment, error 25 (d.3). */
  | { readonly does: 'placeholder' }
  /** A text with more characters is refused while it is sent (k.8). */
  | { readonly does: 'bound'; readonly characters: number; readonly error: number };

/** How long Messages takes. */
export interface Timings {
  /** From the event to its answer. */
  readonly answerMs: number;
  /** From the event to the row. */
  readonly rowMs: number;
  /** From the row to its link with the chat. */
  readonly joinMs: number;
  /** From the row until a staged file is read: after the answer (d.3). */
  readonly readFileMs: number;
  readonly sentMs: number;
  /** Null: it is never delivered. */
  readonly deliveredMs: number | null;
}

export const DEFAULT_TIMINGS: Timings = {
  answerMs: 5,
  rowMs: 10,
  joinMs: 5,
  readFileMs: 30,
  sentMs: 20,
  deliveredMs: 30,
};
