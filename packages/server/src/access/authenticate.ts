/** Who is calling: the key of a request, looked up by its hash and kept for a second at most. */
import type { Clock } from '../clock.ts';
import { isKeyForm } from '../domain/api-key.ts';
import { ApiError } from '../domain/errors.ts';
import type { Scope } from '../domain/scopes.ts';
import { findKeyByHash, KEYS_TOPIC, type StoredKey } from '../store/accounts.ts';
import type { Engine } from '../store/database.ts';
import { hashKey, isSameHash } from './keys.ts';

const CACHE_MS = 1_000;
const CACHE_MAX = 10_000;
const BEARER = /^Bearer +(\S+) *$/i;

/** The caller, as far as any handler needs to know. */
export interface Caller {
  readonly accountRef: number;
  readonly accountId: string;
  /** Of its owner; empty where there is none. */
  readonly accountEmail: string;
  readonly keyRef: number;
  /** The key's public id. */
  readonly keyId: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Null: all lines of the account. */
  readonly lineRefs: ReadonlySet<number> | null;
  readonly rateLimitPerHour: number;
  /** Unix milliseconds, or null for a key that does not end. */
  readonly expiresAt: number | null;
  /** Finds the key again, to see what has become of it. */
  readonly keyHash: string;
}

export interface Authenticator {
  /** Throws, or rejects with, `missing_api_key` or `invalid_api_key`. Answers at once for a key that was just here. */
  authenticate(authorization: string | undefined): Caller | Promise<Caller>;
  /** The caller as the key is now, or null when it is no longer valid. */
  recheck(caller: Caller): Promise<Caller | null>;
  close(): void;
}

export function createAuthenticator(engine: Engine, clock: Clock): Authenticator {
  const cache = new Map<string, { readonly key: StoredKey | null; readonly until: number }>();
  const stopListening = engine.onWake((topic) => {
    if (topic === KEYS_TOPIC) cache.clear();
  });

  function lookUp(hash: string): StoredKey | null | Promise<StoredKey | null> {
    const now = clock.monotonic();
    const cached = cache.get(hash);
    return cached && cached.until > now ? cached.key : find(hash, now);
  }

  async function find(hash: string, now: number): Promise<StoredKey | null> {
    const found = await findKeyByHash(engine, hash);
    const key = found && isSameHash(found.hash, hash) ? found : null;
    if (cache.size >= CACHE_MAX) cache.clear();
    cache.set(hash, { key, until: now + CACHE_MS });
    return key;
  }

  function callerOf(hash: string, key: StoredKey | null): Caller | null {
    if (!key || key.revokedAt !== null) return null;
    if (key.expiresAt !== null && key.expiresAt <= clock.now()) return null;
    const { accountRef, accountId, accountEmail, ref, id, scopes, lineRefs, rateLimitPerHour, expiresAt } = key;
    return {
      accountRef,
      accountId,
      accountEmail,
      keyRef: ref,
      keyId: id,
      scopes,
      lineRefs,
      rateLimitPerHour,
      expiresAt,
      keyHash: hash,
    };
  }

  function admit(hash: string, key: StoredKey | null): Caller {
    const caller = callerOf(hash, key);
    if (!caller) throw new ApiError('invalid_api_key');
    return caller;
  }

  return {
    authenticate(authorization) {
      if (authorization === undefined || authorization === '') throw new ApiError('missing_api_key');
      const text = BEARER.exec(authorization)?.[1];
      if (text === undefined || !isKeyForm(text)) throw new ApiError('invalid_api_key');
      const hash = hashKey(text);
      const key = lookUp(hash);
      return key instanceof Promise ? key.then((found) => admit(hash, found)) : admit(hash, key);
    },
    recheck: async ({ keyHash }) => callerOf(keyHash, await lookUp(keyHash)),
    close: stopListening,
  };
}
