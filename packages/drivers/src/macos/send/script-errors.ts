/** What the errors of scripts mean, in sentences for whoever looks after the Mac. */
import type { ScriptOutcome } from './osascript.ts';

/** The target is not in Messages' live collection. */
export const NOT_FOUND = -1728;
/** Messages does not run, or could not be reached. */
const UNREACHABLE: readonly number[] = [-600, -609, -10_810];
/** macOS lets nobody send these: they prove that nothing went out, also where `send` itself raised them. */
const NEVER_SENT: readonly number[] = [-1743, -1744, -600];

const SENTENCES: Readonly<Record<number, string>> = {
  [-1743]: automation('does not allow'),
  [-1744]: automation('has not yet been asked to allow'),
  [-1728]: 'Messages does not know this chat at present: open it once in Messages on the Mac.',
  [-1719]: 'Messages is not signed in, or its account is turned off: see Settings, iMessage, in Messages on the Mac.',
  [-1712]: 'Messages did not answer while the chat was looked up: if this goes on, quit Messages and open it again.',
  [-600]: 'Messages does not run and could not be started: open it on the Mac.',
  [-609]: 'Messages could not be reached: quit it on the Mac and open it again.',
  [-10_810]: 'Messages could not be started: open it on the Mac.',
  [-43]: 'The file was no longer where it had been put for Messages.',
};

export function isUnreachable(error: number | null): boolean {
  return error !== null && UNREACHABLE.includes(error);
}

/** Whether it is proven that a script has sent nothing. */
export function hasSentNothing(
  outcome: ScriptOutcome,
): outcome is Extract<ScriptOutcome, { state: 'not_sent' | 'broken' }> {
  if (outcome.state === 'not_sent') return true;
  return outcome.state === 'broken' && outcome.error !== null && NEVER_SENT.includes(outcome.error);
}

export function sentenceOf(outcome: Exclude<ScriptOutcome, { state: 'done' }>): string {
  if (outcome.state === 'killed') return 'Messages did not answer in time: quit it on the Mac and open it again.';
  const known = outcome.error === null ? undefined : SENTENCES[outcome.error];
  if (known !== undefined) return known;
  return outcome.state === 'not_sent' ? outcome.message : `Messages reported error ${outcome.error ?? 'unknown'}.`;
}

function automation(verb: string): string {
  return (
    `macOS ${verb} this program to control Messages: turn it on in System Settings, Privacy & Security, Automation, ` +
    'and start the bridge again.'
  );
}
