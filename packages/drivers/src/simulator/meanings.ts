/** Phones whose number says what goes wrong with a message to them, in the manner of test cards. */
import type { ChatAddress } from '../line-driver.ts';

export type Meaning =
  | 'ordinary'
  /** Not an iMessage user: the message fails for good. */
  | 'not_imessage'
  /** The message goes out, and the line never says so. */
  | 'never_echoes'
  | 'never_delivered'
  /** The hand-over takes 10 seconds. */
  | 'slow'
  /** The driver crashes with the message on the air, once for each reference. */
  | 'crashes_once'
  /** The first two attempts do not start. */
  | 'starts_late';

const MEANINGS: Readonly<Record<string, Meaning>> = {
  '+15550100400': 'not_imessage',
  '+15550100408': 'never_echoes',
  '+15550100410': 'never_delivered',
  '+15550100429': 'slow',
  '+15550100500': 'crashes_once',
  '+15550100503': 'starts_late',
};

/** In a group no phone has a meaning. */
export function meaningOf(chat: ChatAddress): Meaning {
  return chat.isGroup ? 'ordinary' : (MEANINGS[chat.identifier] ?? 'ordinary');
}
