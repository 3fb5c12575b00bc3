/** Says what a command did. */
import type { Fields } from './fields.ts';
import type { Session } from './surroundings.ts';
import { toPlainText } from './terminal.ts';

/** The API's own answer for machines, a sentence for people. */
export function showAnswer({ terminal, isJson }: Session, answer: Fields, sentence: string): void {
  if (isJson) terminal.printJson(answer);
  else terminal.print(toPlainText(sentence));
}
