/** What a script of the sender's does, told from its text (d.1, d.2). */
import type { AppleEventKind } from './behaviour.ts';

export interface Script {
  readonly kind: string;
  readonly what: AppleEventKind;
  readonly target: 'chat' | 'participant' | null;
  readonly isAlias: boolean;
  /** The numbers of the arguments that it reads. */
  readonly items: ReadonlySet<number>;
  readonly timeoutMs: number;
  /** A list is made into lines, and not left to osascript, which puts commas. */
  readonly hasLines: boolean;
  /** The error of the look-up is raised again under the sender's own number; `before` is what precedes the look-up. */
  catches(phase: 'resolve' | 'before'): boolean;
  /** The send stands where its errors look like the look-up's: a fault of the script. */
  readonly catchesSend: boolean;
}

/** What an Apple event waits where the script says nothing (d.2). */
const DEFAULT_TIMEOUT_S = 120;

export function readScript(source: string): Script | null {
  const what = whatOf(source);
  if (what === null || !/^\s*on run argv\b/m.test(source)) return null;
  const isSend = what === 'text' || what === 'file';
  const target = isSend ? targetOf(source) : what === 'chat' ? 'chat' : null;
  if (isSend && target === null) return null;
  const caught = caughtPart(source);
  return {
    kind: isSend ? `${what} by ${target}` : what,
    what,
    target,
    isAlias: /\bas alias\b/.test(source),
    hasLines: /\b(?:linefeed|return & )/.test(source),
    items: new Set([...source.matchAll(/\bitem (\d+) of argv\b/g)].map(([, place]) => Number(place))),
    timeoutMs: Number(/\bwith timeout of (\d+) seconds\b/.exec(source)?.[1] ?? DEFAULT_TIMEOUT_S) * 1_000,
    catches: (phase) => (phase === 'resolve' ? caught !== '' : /\bPOSIX file\b/.test(caught)),
    catchesSend: SEND.test(caught),
  };
}

const SEND = /^\s*(?:tell application "Messages" to )?send\b/m;

function whatOf(source: string): AppleEventKind | null {
  if (source.includes('every chat whose id')) return 'chat';
  if (/\bid of every chat\b/.test(source)) return 'chats';
  if (source.includes('service type of')) return 'accounts';
  if (SEND.test(source)) return /\bPOSIX file\b/.test(source) ? 'file' : 'text';
  return /\bname\b/.test(source) ? 'name' : null;
}

function targetOf(source: string): 'chat' | 'participant' | null {
  if (/\bparticipant\b/.test(source)) return 'participant';
  return /\bchat id\b/.test(source) ? 'chat' : null;
}

/** What stands in the block whose errors are raised again as number 9001. */
function caughtPart(source: string): string {
  const [, inside = ''] =
    /^\s*try\b([\s\S]*?)^\s*on error\b[\s\S]*?\bnumber 9001\b[\s\S]*?^\s*end try\b/m.exec(source) ?? [];
  return inside;
}
