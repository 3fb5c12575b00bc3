/** What goes between the fake `osascript` and the fake Messages, one JSON line each way. */
import type { AppleEventKind } from './behaviour.ts';

export interface AppleEvent {
  readonly what: AppleEventKind;
  readonly target:
    | { readonly form: 'chat'; readonly guid: string }
    | { readonly form: 'participant'; readonly account: string; readonly handle: string }
    | null;
  readonly text: string | null;
  readonly path: string | null;
  /** The file is handed over `as alias`, and not as a bare path (d.3). */
  readonly isAlias: boolean;
}

/** What `open` and `pgrep` ask. */
export type Housekeeping = { readonly what: 'open'; readonly url: string | null } | { readonly what: 'pid' };

export type AppleAnswer =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly phase: 'resolve' | 'send'; readonly error: number; readonly message: string };

/** Where Messages listens, in the fake Mac's folder. A socket's path may not be long. */
export const SOCKET = 'messages.sock';
/** The logs of what was called, a JSON line for each call. */
export const OSASCRIPT_LOG = 'osascript.log';
export const PROGRAMS_LOG = 'programs.log';
/** How the small programs behave, by name. */
export const PROGRAMS_BEHAVIOUR = 'programs.json';
