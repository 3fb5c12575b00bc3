/** Puts filler in the place of a text: as long, in UTF-16 and in UTF-8, and of the same kinds of characters. */

/** They say how characters belong together and nothing of what was written. */
const STRUCTURE = /\s|\ufffc|\u200b|\u200d|\ufe0e|\ufe0f|\p{Cs}|\p{Emoji_Modifier}/u;
/** Accents, and the vowels of some scripts: of the text as much as its letters. */
const MARK = /\p{M}/u;

export function fillText(text: string): string {
  let filler = '';
  for (const character of text) filler += fillCharacter(character);
  return filler;
}

function fillCharacter(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  if (STRUCTURE.test(character)) return character;
  if (point < 0x80) return fillAscii(character);
  if (MARK.test(character)) return fillMark(point);
  if (point < 0x800) return /\p{Lu}/u.test(character) ? '\u00c9' : '\u00e9';
  if (point < 0x10000) return /\p{L}/u.test(character) ? '\u5b57' : '\u2026';
  return /\p{L}/u.test(character) ? '\u{20000}' : '\u{1f600}';
}

function fillMark(point: number): string {
  if (point < 0x800) return '\u0301';
  return point < 0x10000 ? '\u302a' : '\u{e0100}';
}

function fillAscii(character: string): string {
  if (/[a-z]/.test(character)) return 'x';
  if (/[A-Z]/.test(character)) return 'X';
  if (/[0-9]/.test(character)) return '0';
  return '.';
}
