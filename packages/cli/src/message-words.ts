/** What a message says, in one cell of a table: its text, and its files by their names. */
import { asFields, type Fields, listOf, textOf } from './fields.ts';

export function wordsOf(message: Fields): string {
  const text = textOf(message, 'text') ?? '';
  const files = listOf(message, 'attachments').map(asFields);
  const isMemo = message['is_audio_message'] === true;
  const names = files.map((file) => `[${isMemo ? memoWords(file) : (textOf(file, 'filename') ?? 'a file')}]`);
  return [...(text === '' ? [] : [text]), ...names].join(' ');
}

function memoWords(file: Fields): string {
  const transcription = textOf(file, 'transcription');
  return transcription === null ? 'voice memo' : `voice memo: ${transcription}`;
}
