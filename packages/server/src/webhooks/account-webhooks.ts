/** The webhooks of an account as whoever gives them means them: their secrets sealed on the way in and opened on the way out. */
import type { Clock } from '../clock.ts';
import type { Ids } from '../domain/ids.ts';
import type { SecretBox } from '../domain/secret-box.ts';
import type { NetworkGuard } from '../network/guard.ts';
import {
  type AccountWebhookType,
  appendAccountWebhooks,
  type ListResult,
  readAccountWebhooks,
  removeAccountWebhooks,
  replaceAccountWebhooks,
} from '../store/account-webhooks.ts';
import type { Engine } from '../store/database.ts';
import type { Ticket } from '../store/ticket.ts';
import type { Writer } from '../store/writer.ts';

const URL_MAX = 2_048;
const SECRET_MAX = 1_024;
/** What a header can carry. */
const HEADER_TEXT = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

export interface AccountWebhookDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly secrets: SecretBox;
}

export interface AccountWebhookOwner {
  readonly accountRef: number;
  readonly accountId: string;
}

export interface AccountWebhookEntry {
  readonly type: AccountWebhookType;
  readonly url: string;
  /** Goes as it is into the header `sb-signing-secret`; null or empty for none of its own. */
  readonly secret: string | null;
  /** The handles of the lines that it is limited to; null or none for all. */
  readonly numbers: readonly string[] | null;
  /** Whether it was given as a URL alone, so that it is given back as one. */
  readonly isBare: boolean;
}

export interface AccountWebhookSettings {
  readonly entries: readonly AccountWebhookEntry[];
  /** For entries without a secret of their own. Null takes it away, undefined leaves it as it is. */
  readonly globalSecret: string | null | undefined;
}

/** What is wrong with an entry, to follow its name in a sentence, or null. */
export async function refuseEntry(
  guard: Pick<NetworkGuard, 'refuseUrl'>,
  { url, secret }: Pick<AccountWebhookEntry, 'url' | 'secret'>,
): Promise<string | null> {
  if (url.length > URL_MAX) return `must have at most ${URL_MAX} characters`;
  return refuseSecret(secret) ?? (await guard.refuseUrl(url));
}

/** The same of a secret, which goes into a header. */
export function refuseSecret(secret: string | null): string | null {
  if (secret === null || secret === '') return null;
  if (secret.length > SECRET_MAX) return `has a secret with more than ${SECRET_MAX} characters`;
  return HEADER_TEXT.test(secret) ? null : 'has a secret that no header can carry: it takes printable ASCII';
}

export function replaceEntries(
  deps: AccountWebhookDeps,
  owner: AccountWebhookOwner,
  settings: AccountWebhookSettings,
  ticket?: Ticket,
): Promise<ListResult> {
  return deps.writer.write(replaceAccountWebhooks, listOf(deps, owner, settings), ticket);
}

export function appendEntries(
  deps: AccountWebhookDeps,
  owner: AccountWebhookOwner,
  settings: AccountWebhookSettings,
  ticket?: Ticket,
): Promise<ListResult> {
  return deps.writer.write(appendAccountWebhooks, listOf(deps, owner, settings), ticket);
}

/** Gives how many went: all with one of these URLs, of one type or of both. */
export function removeEntries(
  { writer, clock }: AccountWebhookDeps,
  { accountRef }: AccountWebhookOwner,
  urls: readonly string[],
  type: AccountWebhookType | null,
): Promise<number> {
  return writer.write(removeAccountWebhooks, { accountRef, urls, type, now: clock.now() });
}

/** In the order in which they were given. */
export async function readEntries(
  { engine, secrets }: Pick<AccountWebhookDeps, 'engine' | 'secrets'>,
  { accountRef, accountId }: AccountWebhookOwner,
): Promise<{ readonly entries: readonly AccountWebhookEntry[]; readonly globalSecret: string | null }> {
  const { webhooks, sealedAccountSecret } = await readAccountWebhooks(engine, accountRef);
  const open = (sealed: string | null) => (sealed === null ? null : secrets.open(sealed, accountId));
  return {
    entries: webhooks.map(({ type, url, numbers, isBare, sealedSecret }) => ({
      type,
      url,
      numbers,
      isBare,
      secret: open(sealedSecret),
    })),
    globalSecret: open(sealedAccountSecret),
  };
}

function listOf(
  { clock, ids, secrets }: AccountWebhookDeps,
  { accountRef, accountId }: AccountWebhookOwner,
  { entries, globalSecret }: AccountWebhookSettings,
) {
  const seal = (secret: string | null) => (secret === null || secret === '' ? null : secrets.seal(secret, accountId));
  return {
    accountRef,
    webhooks: entries.map(({ secret, ...entry }) => ({
      ...entry,
      id: ids.make('webhook'),
      sealedSecret: seal(secret),
    })),
    sealedAccountSecret: globalSecret === undefined ? undefined : seal(globalSecret),
    now: clock.now(),
  };
}
