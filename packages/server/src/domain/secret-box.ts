/** Secrets at rest: AES-256-GCM under the installation's key. Pure: the key and the randomness are handed in. */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
export const SECRET_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Names the form, so that a later one can be told from it. */
const PREFIX = 'sealed1:';

export interface SecretBox {
  /** `owner` names what the secret belongs to: sealed text that was moved to another row does not open there. */
  seal(secret: string, owner: string): string;
  /** Throws `SealBrokenError` when the text was sealed with another key or for another owner, or was changed. */
  open(sealed: string, owner: string): string;
  /** A key of its own for another purpose, from which this one cannot be told. */
  keyFor(purpose: string): Uint8Array;
}

export class SealBrokenError extends Error {
  constructor(cause?: unknown) {
    super('A secret in the database was not sealed with this secret key, or was changed.', { cause });
    this.name = 'SealBrokenError';
  }
}

export function isSealed(text: string): boolean {
  return text.startsWith(PREFIX);
}

export function createSecretBox(key: Uint8Array, randomBytes: (size: number) => Uint8Array): SecretBox {
  if (key.length !== SECRET_KEY_BYTES) throw new Error(`A secret key has ${SECRET_KEY_BYTES} bytes.`);
  return {
    seal(secret, owner) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce);
      cipher.setAAD(Buffer.from(owner));
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return PREFIX + Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url');
    },
    open(sealed, owner) {
      if (!isSealed(sealed)) throw new SealBrokenError();
      const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64url');
      try {
        const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES));
        decipher.setAAD(Buffer.from(owner));
        decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
      } catch (error) {
        throw new SealBrokenError(error);
      }
    },
    keyFor: (purpose) => new Uint8Array(hkdfSync('sha256', key, '', `trunkline ${purpose}`, SECRET_KEY_BYTES)),
  };
}
