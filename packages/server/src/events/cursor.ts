/** A place in the event log as clients hold it: `<epoch>.<seq>`. The epoch names this log; another log's cursor is refused. */

export function formatCursor(epoch: string, seq: number): string {
  return `${epoch}.${seq}`;
}

/** The number after which to go on, or null where the text is no cursor of this log. */
export function parseCursor(epoch: string, text: string): number | null {
  const match = /^([0-9a-z]+)\.(\d{1,16})$/.exec(text);
  if (!match || match[1] !== epoch) return null;
  const seq = Number(match[2]);
  return Number.isSafeInteger(seq) ? seq : null;
}
