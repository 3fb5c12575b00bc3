/** What one look at a Mac showed, in words for the person who can mend it. */

export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'failed';
  /** What is so. */
  readonly found: string;
  /** What to do about it; null where nothing is to be done. */
  readonly remedy: string | null;
}

export function passed(name: string, found: string): Finding {
  return { name, state: 'ok', found, remedy: null };
}

/** It works today, and something may break it. */
export function warned(name: string, found: string, remedy: string): Finding {
  return { name, state: 'warning', found, remedy };
}

export function failed(name: string, found: string, remedy: string): Finding {
  return { name, state: 'failed', found, remedy };
}
