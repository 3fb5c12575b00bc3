/** HMAC-SHA256 over a delivery, by WebCrypto, which every runtime has. */

const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const;
const STANDARD_PREFIX = 'whsec_';

/** Our own signature over `<timestamp>.<body>`: the key is the whole secret, `whsec_` and all, in UTF-8. */
export async function ownSignature(secret: string, timestamp: string, body: Uint8Array): Promise<Uint8Array> {
  return hmac(new TextEncoder().encode(secret), `${timestamp}.`, body);
}

/**
 * That of Standard Webhooks over `<id>.<seconds>.<body>`: the key is what the secret's base64 stands for. Null where the
 * secret is no base64.
 */
export async function standardSignature(
  secret: string,
  id: string,
  seconds: string,
  body: Uint8Array,
): Promise<Uint8Array | null> {
  const text = secret.startsWith(STANDARD_PREFIX) ? secret.slice(STANDARD_PREFIX.length) : secret;
  const key = fromBase64(text);
  return key && hmac(key, `${id}.${seconds}.`, body);
}

/** In the same time, wherever they differ. */
export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < b.length; index += 1) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Null where the text is no hex of 32 bytes, in lower case as the server writes it. */
export function fromHex(text: string): Uint8Array | null {
  if (!/^[0-9a-f]{64}$/.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** Null where the text is no base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return null;
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

async function hmac(key: Uint8Array<ArrayBuffer>, head: string, body: Uint8Array): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey('raw', key, HMAC, false, ['sign']);
  const start = new TextEncoder().encode(head);
  const content = new Uint8Array(start.length + body.length);
  content.set(start);
  content.set(body, start.length);
  return new Uint8Array(await crypto.subtle.sign(HMAC.name, imported, content));
}
