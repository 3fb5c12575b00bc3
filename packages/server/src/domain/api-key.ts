/** What an API key looks like: a first one may be given by the operator, so the form is wider than what is made here. */
const KEY_FORM = /^sk_live_[A-Za-z0-9]{32,128}$/;

export function isKeyForm(text: string): boolean {
  return KEY_FORM.test(text);
}

/** Requests an hour: so many that it is no limit. */
export const RATE_LIMIT_MAX = 1_000_000_000;
