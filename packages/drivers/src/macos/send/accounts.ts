/** The accounts that Messages is signed in to, and whether the line can send through them. */
import type { HealthState } from '../../line-driver.ts';
import type { Service } from '../../service.ts';
import type { RunScript, ScriptOutcome } from './osascript.ts';
import { isUnreachable, sentenceOf } from './script-errors.ts';
import { LIST_ACCOUNTS } from './scripts.ts';

export interface Account {
  readonly id: string;
  /** As Messages names it, in lower case. */
  readonly service: string;
  readonly isEnabled: boolean;
  readonly isConnected: boolean;
}

export type Accounts =
  | { readonly state: 'listed'; readonly accounts: readonly Account[] }
  | { readonly state: 'refused'; readonly outcome: Exclude<ScriptOutcome, { state: 'done' }> };

export interface SenderHealth {
  readonly state: HealthState;
  /** What to do about it; null where it is online. */
  readonly reason: string | null;
}

const NAMES: Readonly<Record<Service, string>> = { imessage: 'iMessage', sms: 'SMS', rcs: 'RCS' };
/** macOS refuses, or asks somebody who is not there. */
const NO_CONSENT: readonly (number | null)[] = [-1743, -1744];

export async function listAccounts(run: RunScript, limitMs: number): Promise<Accounts> {
  const outcome = await run({ source: LIST_ACCOUNTS, argv: [], limitMs });
  if (outcome.state !== 'done') return { state: 'refused', outcome };
  const accounts = outcome.output.split(/\r?\n/).flatMap((line): Account[] => {
    const [id, service, isEnabled, status] = line.trim().split('\t');
    if (id === undefined || service === undefined || id === '') return [];
    return [
      { id, service: service.toLowerCase(), isEnabled: isEnabled === 'true', isConnected: status === 'connected' },
    ];
  });
  return { state: 'listed', accounts };
}

/** The account through which somebody is reached by a service: one that is connected before one that is not yet. */
export function accountFor(accounts: readonly Account[], service: Service): Account | null {
  const usable = accounts.filter((one) => one.isEnabled && one.service === service);
  return usable.find(({ isConnected }) => isConnected) ?? usable[0] ?? null;
}

export function noAccountSentence(service: Service): string {
  const name = NAMES[service];
  if (service === 'imessage') {
    return 'Messages is not signed in to iMessage, or the account is turned off: see Settings, iMessage, in Messages.';
  }
  return `Messages has no account for ${name}: turn on Text Message Forwarding to this Mac on the iPhone.`;
}

export function healthOf(listed: Accounts, service: Service): SenderHealth {
  if (listed.state === 'refused') {
    const { outcome } = listed;
    const error = outcome.state === 'killed' ? null : outcome.error;
    const isOver = outcome.state === 'not_sent' && error === null;
    // Without consent or a session nothing can be sent; a Messages that is down or slow is opened by the next send.
    const state = isOver || (NO_CONSENT.includes(error) && !isUnreachable(error)) ? 'offline' : 'degraded';
    return { state, reason: sentenceOf(outcome) };
  }
  const account = accountFor(listed.accounts, service);
  if (account === null) return { state: 'offline', reason: noAccountSentence(service) };
  if (account.isConnected) return { state: 'online', reason: null };
  return {
    state: 'degraded',
    reason: `The account for ${NAMES[service]} in Messages is not connected: check the Mac's network and its sign-in.`,
  };
}
