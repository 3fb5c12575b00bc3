/**
 * Pairing, as a line's report meets it: which phone is whose, in the order of the report's events, and what a texted
 * code changes. The rows are locked, so that no request changes a pairing between this look and the report's commit.
 */
import { WRONG_CODES_MAX, WRONG_CODES_WITHIN_MS } from '../domain/sandbox.ts';
import { insertInto, type Row, statement, type Tx } from './database.ts';

const lockPairings = statement(
  { code: 'text', phone: 'text' },
  `select sandbox_pairings.account_ref, sandbox_pairings.code, sandbox_pairings.code_expires_at, sandbox_pairings.phone,
     sandbox_pairings.paired_at, sandbox_pairings.code_sent_at
   from sandbox_pairings{, items} where sandbox_pairings.code = i.code or sandbox_pairings.phone = i.phone
   order by sandbox_pairings.account_ref {for update of sandbox_pairings}`,
);

const clearPhone = statement(
  { account_ref: 'int' },
  'update sandbox_pairings set phone = null, paired_at = null, code_sent_at = null where account_ref = i.account_ref',
);

const setPairing = statement(
  { account_ref: 'int', code: 'text', code_expires_at: 'int', phone: 'text', paired_at: 'int', code_sent_at: 'int' },
  `update sandbox_pairings set code = i.code, code_expires_at = i.code_expires_at, phone = i.phone,
     paired_at = i.paired_at, code_sent_at = i.code_sent_at
   where account_ref = i.account_ref`,
);

const guessesOf = statement({ phone: 'text' }, 'select since, wrong_codes from sandbox_phones where phone = i.phone');

const noteGuesses = insertInto(
  'sandbox_phones',
  { phone: 'text', since: 'int', wrong_codes: 'int' },
  'on conflict (phone) do update set since = excluded.since, wrong_codes = excluded.wrong_codes',
);

/** What a phone texted that looks like a code. */
export interface TextedCode {
  readonly phone: string;
  readonly code: string;
  /** By the phone's clock, in Unix milliseconds. */
  readonly sentAt: number;
}

interface OpenPairing {
  readonly accountRef: number;
  code: string | null;
  codeExpiresAt: number | null;
  phone: string | null;
  pairedAt: number | null;
  codeSentAt: number | null;
}

interface Guesses {
  readonly since: number;
  readonly wrong: number;
}

export interface PairingBook {
  /** Whose the phone is now, by its place in the report; of what it sent itself before it was paired, nobody's. */
  accountOf(phone: string, sentAt?: number): number | null;
  /** Pairs the phone where the code is one that may be texted now. */
  redeem(texted: TextedCode, at: number): void;
  /** Writes what has changed. */
  close(): Promise<void>;
}

const NO_PHONE = { phone: null, pairedAt: null, codeSentAt: null };
const NO_CODE = { code: null, codeExpiresAt: null };

/** For the phones and the codes that a report of the sandbox line names. */
export async function openPairingBook(
  tx: Tx,
  phones: readonly string[],
  codes: readonly TextedCode[],
): Promise<PairingBook> {
  const asked = [
    ...phones.map((phone) => ({ code: null, phone })),
    ...codes.map(({ code }) => ({ code, phone: null })),
  ];
  const rows = await tx.each(lockPairings, asked);
  const pairings = new Map(rows.map((row) => [Number(row['account_ref']), openPairing(row)]));
  const guesses = await readGuesses(tx, codes);
  const changed = new Set<OpenPairing>();
  const guessed = new Map<string, Row>();
  const find = (matches: (one: OpenPairing) => boolean) => [...pairings.values()].find(matches);
  return {
    accountOf(phone, sentAt = Number.POSITIVE_INFINITY) {
      const pairing = find((one) => one.phone === phone);
      return pairing && sentAt >= (pairing.codeSentAt ?? 0) ? pairing.accountRef : null;
    },
    redeem({ phone, code, sentAt }, at) {
      const before = guesses.get(phone);
      const running = before && at < before.since + WRONG_CODES_WITHIN_MS ? before : { since: at, wrong: 0 };
      if (running.wrong >= WRONG_CODES_MAX) return;
      const pairing = find((one) => one.code === code && (one.codeExpiresAt ?? 0) > at);
      if (!pairing) {
        const now = { since: running.since, wrong: running.wrong + 1 };
        guesses.set(phone, now);
        guessed.set(phone, { phone, since: now.since, wrong_codes: now.wrong });
        return;
      }
      const former = find((one) => one.phone === phone);
      if (former) changed.add(Object.assign(former, NO_PHONE));
      changed.add(Object.assign(pairing, { phone, pairedAt: at, codeSentAt: sentAt, ...NO_CODE }));
    },
    async close() {
      // A phone leaves the one account before the other gets it.
      for (const { accountRef } of changed) await tx.one(clearPhone, { account_ref: accountRef });
      for (const pairing of changed) await tx.one(setPairing, pairingRow(pairing));
      await tx.each(noteGuesses, [...guessed.values()]);
    },
  };
}

async function readGuesses(tx: Tx, codes: readonly TextedCode[]): Promise<Map<string, Guesses>> {
  const guesses = new Map<string, Guesses>();
  for (const phone of new Set(codes.map((one) => one.phone))) {
    const [row] = await tx.one(guessesOf, { phone });
    if (row) guesses.set(phone, { since: Number(row['since']), wrong: Number(row['wrong_codes']) });
  }
  return guesses;
}

function openPairing(row: Row): OpenPairing {
  return {
    accountRef: Number(row['account_ref']),
    code: typeof row['code'] === 'string' ? row['code'] : null,
    codeExpiresAt: typeof row['code_expires_at'] === 'number' ? row['code_expires_at'] : null,
    phone: typeof row['phone'] === 'string' ? row['phone'] : null,
    pairedAt: typeof row['paired_at'] === 'number' ? row['paired_at'] : null,
    codeSentAt: typeof row['code_sent_at'] === 'number' ? row['code_sent_at'] : null,
  };
}

function pairingRow({ accountRef, code, codeExpiresAt, phone, pairedAt, codeSentAt }: OpenPairing): Row {
  const paired = { phone, paired_at: pairedAt, code_sent_at: codeSentAt };
  return { account_ref: accountRef, code, code_expires_at: codeExpiresAt, ...paired };
}
