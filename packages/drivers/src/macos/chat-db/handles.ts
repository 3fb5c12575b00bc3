/** Handles as the message database spells them. */
import { normaliseHandle } from '../../handle.ts';

/** What filters write behind a sender, `(smsft)` for one. */
const SUFFIX = /\([a-z_]+\)$/i;
/** An account is `E:` and a mail address, or `P:` and a number. */
const ACCOUNT_KIND = /^[EP]:/i;

/** Short codes and businesses (`urn:biz:...`) have no other spelling, and stay as they are. */
export function readHandle(raw: string): string {
  const bare = raw.trim().replace(SUFFIX, '');
  return normaliseHandle(bare) ?? bare;
}

export function handleOfAccount(account: string): string {
  return readHandle(account.replace(ACCOUNT_KIND, ''));
}
