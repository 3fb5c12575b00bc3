/** Bytes that are no typed stream, or none any more: they end early, refer to nothing, or nest beyond all reason. */
export class Unreadable extends Error {}
