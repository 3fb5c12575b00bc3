/** What a perfect bridge must have told of everything that happened on this Mac (h.2). */

/** A change of a message after it was complete. */
export type Later =
  | { readonly what: 'edited'; readonly text: string; readonly at: number }
  /** One bubble of several was taken back; `text` is what remains. */
  | { readonly what: 'part_unsent'; readonly part: number; readonly text: string; readonly at: number }
  | { readonly what: 'unsent' | 'delivered' | 'read' | 'downgraded' | 'deleted'; readonly at: number }
  /** Another database took the place of the one that the message came into. */
  | { readonly what: 'replaced'; readonly at: number }
  | { readonly what: 'failed'; readonly error: number; readonly at: number }
  | { readonly what: 'attachment'; readonly guid: string; readonly isReady: boolean; readonly at: number }
  | { readonly what: 'transcription'; readonly text: string; readonly at: number };

export interface ExpectedAttachment {
  readonly guid: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** Told exactly once, however many rows it has. */
export interface ExpectedMessage {
  readonly what: 'message';
  readonly guid: string;
  /** The GUIDs of all its rows, its own first: a preview, the pieces of a split text, the other half of a self-chat. */
  readonly rows: readonly string[];
  readonly chat: string;
  readonly isGroup: boolean;
  readonly isFromMe: boolean;
  /** Null for an own message. */
  readonly sender: string | null;
  readonly service: string;
  /** As it first was, without the places of attachments. */
  readonly text: string | null;
  readonly attachments: readonly ExpectedAttachment[];
  readonly isAudio: boolean;
  readonly replyTo: string | null;
  readonly effect: string | null;
  readonly date: number;
  /** When the last piece without which it may not be told was there; null while it is not. */
  readonly completeAt: number | null;
  /** Brought in by a sync or a restore: stored, never announced. */
  readonly isOld: boolean;
  readonly later: readonly Later[];
}

export interface ExpectedReaction {
  readonly what: 'reaction';
  readonly guid: string;
  readonly target: string;
  readonly part: number;
  /** `associated_message_type` of the row that adds it: 2000 to 2007. */
  readonly type: number;
  readonly emoji: string | null;
  readonly added: boolean;
  readonly isFromMe: boolean;
  readonly sender: string | null;
  readonly completeAt: number | null;
}

/** A chat was renamed, or somebody came or went. */
export interface ExpectedChange {
  readonly what: 'chat';
  readonly guid: string;
  readonly chat: string;
  readonly name: string | null;
  readonly participants: readonly string[];
  readonly completeAt: number | null;
}

/** A row that must never be told as a message, and why. */
export interface ExpectedSilence {
  readonly what: 'silence';
  readonly guid: string;
  readonly why: 'orphan' | 'ghost' | 'scheduled' | 'system';
}

export type Expected = ExpectedMessage | ExpectedReaction | ExpectedChange | ExpectedSilence;

export class Oracle {
  readonly #expected = new Map<string, Expected>();

  /** All, in the order in which they first came to be. */
  list(): Expected[] {
    return [...this.#expected.values()];
  }

  expect(expected: Expected): void {
    this.#expected.set(expected.guid, expected);
  }

  complete(guid: string, at: number): void {
    const known = this.#expected.get(guid);
    if (known === undefined || known.what === 'silence') return;
    if (known.completeAt === null) this.#expected.set(guid, { ...known, completeAt: at });
  }

  /** One more row of this message. */
  addRow(guid: string, row: string): void {
    this.#change(guid, (known) => ({ rows: [...known.rows, row] }));
  }

  addLater(guid: string, later: Later): void {
    this.#change(guid, (known) => ({ later: [...known.later, later] }));
  }

  replaceDatabase(at: number): void {
    for (const guid of this.#expected.keys()) this.addLater(guid, { what: 'replaced', at });
  }

  /** Of a row that is no message by itself nothing is to be told, whatever becomes of it. */
  #change(guid: string, change: (known: ExpectedMessage) => Partial<ExpectedMessage>): void {
    const known = this.#expected.get(guid);
    if (known?.what === 'message') this.#expected.set(guid, { ...known, ...change(known) });
  }
}
