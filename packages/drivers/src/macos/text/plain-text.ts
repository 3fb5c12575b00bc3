/** What a message says in words. */
import type { AttributedBody } from './attributed-body.ts';

/** The slots of attachments (U+FFFC) and of the contents that apps bring (U+FFFD). */
const SLOTS = /[\ufffc\ufffd]/g;

/**
 * The text for a reader, without slots; null where nothing is left. The body is preferred: the column `text` is empty
 * beside most messages of one's own, and may be cut beside long ones.
 */
export function plainText(body: Pick<AttributedBody, 'text'> | null, textColumn: string | null): string | null {
  return withoutSlots(body?.text) ?? withoutSlots(textColumn);
}

function withoutSlots(text: string | null | undefined): string | null {
  const words = text?.replace(SLOTS, '') ?? '';
  return words === '' ? null : words;
}
