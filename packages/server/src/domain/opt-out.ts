/** The words by which a phone asks for no more messages, or for messages again. */

/** Whose word it was: a client's, or the phone's own. */
export type OptOutSource = 'api' | 'phone';

const WORDS: Readonly<Record<string, boolean>> = {
  STOP: true,
  UNSUBSCRIBE: true,
  CANCEL: true,
  END: true,
  QUIT: true,
  START: false,
};

/** Whether the text asks for no more messages; null where it is none of the words and nothing else. */
export function optOutIn(text: string): boolean | null {
  const word = text.trim().toUpperCase();
  return Object.hasOwn(WORDS, word) ? (WORDS[word] ?? null) : null;
}
