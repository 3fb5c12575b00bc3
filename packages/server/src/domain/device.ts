/** A device: a computer whose agent may dial in for some lines of one account. */

/** 256 bits in base64url. */
const TOKEN_FORM = /^dtk_[A-Za-z0-9_-]{43}$/;

export function isDeviceTokenForm(text: string): boolean {
  return TOKEN_FORM.test(text);
}

/** What an agent says of itself. */
export interface DeviceAgent {
  readonly version: string;
  readonly platform: string;
}
