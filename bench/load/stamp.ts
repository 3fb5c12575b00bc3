/** A text that carries to the webhook when it was due, by the monotonic clock. */

const PREFIX = 'due at ';

export function stampText(dueAt: number): string {
  return `${PREFIX}${dueAt}`;
}

/** Null where the text carries no stamp. */
export function readStamp(text: string): number | null {
  return text.startsWith(PREFIX) ? Number(text.slice(PREFIX.length)) : null;
}
