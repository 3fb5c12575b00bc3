/**
 * The bytes by which a typed stream is told and read: the archive format of NeXTSTEP in which Messages keeps the text of
 * a message with its attributes. What reads it and what writes it must mean the same ones.
 */

/** The format's version, and the name by which archives with little-endian numbers are known. */
export const HEADER = new Uint8Array([4, 11, ...new TextEncoder().encode('streamtyped')]);

/** The first byte of a number, a name or an object. Any other byte there is a small number, which stands for itself. */
export const HEADS = {
  int16: 0x81,
  int32: 0x82,
  real: 0x83,
  literal: 0x84,
  nil: 0x85,
  end: 0x86,
} as const;

/** Every literal name and every literal object gets a number in its table; the first is referred to by this one. */
export const FIRST_REFERENCE = -110;

/** The smallest number that stands for itself: those below are heads. */
export const SMALLEST_INT8 = -110;
