/** Every kind of caller that a route can meet, and what each is to each object. */
import { SCOPES, type Scope } from '../src/domain/scopes.ts';
import { expectStatus, type TestServer } from './harness.ts';
import type { Cell, Outcome, Relation } from './matrix-row.ts';
import type { Owner, Place, Scene } from './matrix-scene.ts';
import { addKey, keyIdOf } from './tenancy.ts';

const UNKNOWN_KEY = `sk_live_${'0'.repeat(43)}`;

export interface MatrixCaller {
  readonly name: string;
  /** The whole value of `Authorization`, or null for no such header. */
  readonly authorization: string | null;
  /** The public id that goes with it, where the key has one. */
  readonly keyId: string;
  /** What it is told whatever it asks for; null where that depends on scope and object. */
  readonly refusal: Outcome | null;
  readonly scopes: readonly Scope[];
  readonly account: 'first' | 'second';
  /** Whose line it is limited to. */
  readonly limit: Owner | null;
}

export async function createCallers(scene: Scene): Promise<readonly MatrixCaller[]> {
  const { test, accounts, places } = scene;
  const first = { accountRef: accounts.first, scopes: SCOPES };
  const invalid: Outcome = ['invalid_api_key'];
  const refused = (name: string, authorization: string | null, refusal: Outcome): Unnamed => ({
    name,
    authorization,
    refusal,
    scopes: [],
    account: 'first',
    limit: null,
  });
  const granted = (name: string, key: string, rest: Partial<Unnamed> = {}): Unnamed => ({
    ...refused(name, `Bearer ${key}`, 'ok'),
    refusal: null,
    scopes: SCOPES,
    ...rest,
  });
  const limitedTo = ({ line, spare, remote }: Place) =>
    addKey(test, { ...first, lineRefs: [line.ref, spare.ref, remote.ref] });
  const all = [
    refused('no key', null, ['missing_api_key']),
    refused('a malformed key', 'Bearer sk_test_0123456789', invalid),
    refused('an unknown key', `Bearer ${UNKNOWN_KEY}`, invalid),
    refused('a revoked key', `Bearer ${await revokedKey(scene)}`, invalid),
    refused('an expired key', `Bearer ${await addKey(test, { ...first, expiresAt: Date.now() - 1 })}`, invalid),
    granted('a key with every scope', await addKey(test, first)),
    granted('a key limited to the own line', await limitedTo(places.own), { limit: 'own' }),
    granted('a key limited to another line', await limitedTo(places.other), { limit: 'other' }),
    granted("another account's key", await addKey(test, { ...first, accountRef: accounts.second }), {
      account: 'second',
    }),
    ...(await scopedCallers(test, accounts.first, granted)),
  ];
  return Promise.all(all.map(async (one) => ({ ...one, keyId: await keyIdOf(test, keyOf(one)) })));
}

type Unnamed = Omit<MatrixCaller, 'keyId'>;

function keyOf({ authorization }: Unnamed): string {
  return authorization?.replace(/^Bearer /, '') ?? '';
}

/** Each scope alone, and all scopes but each. */
async function scopedCallers(
  test: TestServer,
  accountRef: number,
  granted: (name: string, key: string, rest: Partial<Unnamed>) => Unnamed,
): Promise<Unnamed[]> {
  const callers: Unnamed[] = [];
  for (const scope of SCOPES) {
    const alone = [scope];
    const without = SCOPES.filter((one) => one !== scope);
    callers.push(
      granted(`a key with ${scope} alone`, await addKey(test, { accountRef, scopes: alone }), { scopes: alone }),
    );
    const key = await addKey(test, { accountRef, scopes: without });
    callers.push(granted(`a key with every scope but ${scope}`, key, { scopes: without }));
  }
  return callers;
}

async function revokedKey({ test, places, accounts }: Scene): Promise<string> {
  const owner = { key: places.own.ownerKey };
  const key = await addKey(test, { accountRef: accounts.first, scopes: SCOPES });
  const { body } = expectStatus(200, await test.call('GET', '/admin/v1/keys?limit=1', undefined, owner));
  const [newest] = body['data'] as { id: string }[];
  expectStatus(200, await test.call('DELETE', `/admin/v1/keys/${newest?.id}`, undefined, owner));
  return key;
}

/** Of the callers that lack one scope, a route meets the one that lacks its own. */
export function meets(caller: MatrixCaller, scope: Scope): boolean {
  return caller.scopes.length !== SCOPES.length - 1 || !caller.scopes.includes(scope);
}

export function cellOf(caller: MatrixCaller, owner: Owner): Cell {
  return {
    owner,
    relation: relationOf(caller, owner),
    ownRelation: relationOf(caller, 'own'),
    isSameAccount: isOfAccount(caller, owner),
    isLimited: caller.limit !== null,
  };
}

function relationOf(caller: MatrixCaller, owner: Owner): Relation {
  if (!isOfAccount(caller, owner)) return 'unseen';
  return caller.limit === null || caller.limit === owner ? 'visible' : 'restricted';
}

function isOfAccount({ account }: MatrixCaller, owner: Owner): boolean {
  if (owner === 'absent') return false;
  return (owner === 'foreign') === (account === 'second');
}
