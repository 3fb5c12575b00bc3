/** The joint between reader and sender: whose an own row of the message database is. */
import type { OutgoingFile } from '../line-driver.ts';
import type { MessageRow } from './chat-db/message-row.ts';

export type OwnRow =
  /**
   * It is the echo of this hand-over, and of this file where the part is one. `others` are the GUIDs of the hand-over's
   * other rows so far; `isComplete` says that all of its parts have theirs by now.
   */
  | {
      readonly state: 'ours';
      readonly reference: string;
      readonly part: number;
      readonly isComplete: boolean;
      readonly others: readonly string[];
      readonly file: OutgoingFile | null;
    }
  /** The owner wrote it, here or on another device. */
  | { readonly state: 'foreign' }
  /** A send is under way that it may belong to: ask again. */
  | { readonly state: 'undecided' };

/**
 * Every own row is claimed before it is reported, by the sender's check or by the reader, whichever comes first; what was
 * decided is kept in the journal and never changes.
 */
export interface OwnRows {
  claim(row: MessageRow): OwnRow;
}
