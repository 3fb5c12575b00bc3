/** What a message says, in one cell of a table: its text, its files by their names, and its effect. */
import { asFields, type Fields, listOf, textOf } from './fields.ts';

export function wordsOf(message: Fields): string {
  const text = textOf(message, 'text') ?? '';
  const files = listOf(message, 'attachments').map(asFields);
  const isMemo = message['is_audio_message'] === true;
  const names = files.map((file) => `[${isMemo ? memoWords(file) : (textOf(file, 'filename') ?? 'a file')}]`);
  // A line's message has a send style, a phone's an effect.
  const style = textOf(message, 'send_style') ?? textOf(message, 'effect');
  return [...(text === '' ? [] : [text]), ...names, ...(style === null ? [] : [`[with ${style}]`])].join(' ');
}

function memoWords(file: Fields): string {
  const transcription = textOf(file, 'transcription');
  return transcription === null ? 'voice memo' : `voice memo: ${transcription}`;
}
