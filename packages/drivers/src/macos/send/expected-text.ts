/** How the text of a row is compared with what was sent. Messages changes white space, and splits texts round links. */

/** Line ends, slots of attachments and apps, and white space at the edges are not told apart. */
const SLOTS = /[\ufffc\ufffd]/g;
const SPACE = /\s+/;
/** Whatever Messages could take for a link: an address with its scheme, or a name with a dot in it. */
const LINK = /:\/\/|\.\p{L}{2}/u;
const PUNCTUATION_BEFORE = /^[^\p{L}\p{N}]+/u;
const PUNCTUATION_BEHIND = /[^\p{L}\p{N}/]+$/u;
/** A long text is cut where it pleases Messages; that much of it in common is no chance. Characters. */
const LONG_PIECE_MIN = 1_000;

/** What is compared: the text without slots and white space, in one normal form. */
export function bareText(text: string): string {
  return wordsOf(text).join('');
}

/**
 * How far a row with this text brings the text that was sent, of which earlier rows hold the first `covered` characters;
 * null where it is no piece of it. A piece ends where a link begins or ends, or with the text.
 */
export function coverWith(sent: string, covered: number, rowText: string): number | null {
  const whole = bareText(sent);
  const piece = bareText(rowText);
  if (piece === '' || !whole.startsWith(piece, covered)) return null;
  const end = covered + piece.length;
  if (end === whole.length || piece.length >= LONG_PIECE_MIN) return end;
  return linksOf(sent).some((borders) => borders.includes(end)) ? end : null;
}

/** A link that became a preview without words: how far it brings the text, or null where none comes next. */
export function coverWithPreview(sent: string, covered: number): number | null {
  const next = linksOf(sent).find(([start, inner]) => start === covered || inner === covered);
  return next?.[3] ?? null;
}

/** Whether a row with this text is a piece of the text whose turn comes when a row before it can be read. */
export function isLaterPiece(sent: string, covered: number, rowText: string): boolean {
  const borders = linksOf(sent).flat();
  return borders.some((start) => start > covered && coverWith(sent, start, rowText) !== null);
}

/** Where links begin and end in the bare text, with the punctuation about them and without it. */
function linksOf(sent: string): (readonly [start: number, innerStart: number, innerEnd: number, end: number])[] {
  let end = 0;
  return wordsOf(sent).flatMap((word) => {
    const start = end;
    end += word.length;
    if (!LINK.test(word)) return [];
    const before = PUNCTUATION_BEFORE.exec(word)?.[0].length ?? 0;
    const behind = PUNCTUATION_BEHIND.exec(word)?.[0].length ?? 0;
    return [[start, start + before, end - behind, end] as const];
  });
}

function wordsOf(text: string): string[] {
  return text.normalize('NFC').replace(SLOTS, '').split(SPACE);
}
