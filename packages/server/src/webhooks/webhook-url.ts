/** Which URLs a webhook may have. */

export interface UrlRules {
  /** Whether plain http to this machine is taken: while the server itself listens only there. */
  readonly allowLoopbackHttp: boolean;
}

const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/** Null when the URL may be used, else what is wrong with it, to follow "The 'url' field". */
export function refuseUrl(url: string, rules: UrlRules): string | null {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (!parsed) return 'must be an absolute URL';
  if (parsed.username !== '' || parsed.password !== '') return 'must not carry a user name or password';
  if (parsed.protocol === 'https:') return null;
  if (parsed.protocol !== 'http:') return 'must be an https URL';
  const isLoopback = LOOPBACK.test(parsed.hostname);
  return isLoopback && rules.allowLoopbackHttp ? null : 'must be an https URL';
}
