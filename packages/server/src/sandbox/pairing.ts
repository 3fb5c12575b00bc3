/** Asking for a code, giving the phone up, and how an account stands with the sandbox line. */
import type { Clock } from '../clock.ts';
import { ApiError } from '../domain/errors.ts';
import type { Line } from '../domain/line.ts';
import { CODE_BYTES, CODE_VALID_MS, dayOf, makeCode, nextDayOf, SANDBOX_DAILY_MAX } from '../domain/sandbox.ts';
import type { LineRegistry } from '../lines/registry.ts';
import type { Engine } from '../store/database.ts';
import {
  activateSandbox,
  deactivateSandbox,
  type NewCode,
  type Pairing,
  readPairing,
} from '../store/sandbox-pairings.ts';
import type { Ticket } from '../store/ticket.ts';
import type { Writer } from '../store/writer.ts';
import { sandboxBody } from '../wire/v1.ts';

/** How often the pairing may have changed under an answer before the request is given up. */
const TRIES_MAX = 10;

export interface PairingDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly registry: LineRegistry;
  readonly randomBytes: (size: number) => Uint8Array;
}

export type SandboxAnswer = ReturnType<typeof sandboxBody>;

export async function showSandbox(deps: PairingDeps, accountRef: number): Promise<SandboxAnswer> {
  const line = requireSandbox(deps);
  return answerOf(deps, line, await readOwned(deps, accountRef));
}

/** The same code for as long as it may be texted. A phone that is paired stays so. */
export async function activate(
  deps: PairingDeps,
  accountRef: number,
  ticket: (answer: SandboxAnswer) => Ticket,
): Promise<SandboxAnswer> {
  const line = requireSandbox(deps);
  for (let left = TRIES_MAX; left > 0; left--) {
    const seen = await readOwned(deps, accountRef);
    const isAsIs = seen.phone !== null || isValid(deps, seen);
    const fresh = isAsIs ? null : newCode(deps, accountRef);
    const answer = answerOf(deps, line, fresh ? withCode(seen, fresh) : seen);
    if (await deps.writer.write(activateSandbox, { accountRef, seen, fresh }, ticket(answer))) return answer;
  }
  throw new Error('A pairing changed under each of many tries to begin it.');
}

/** With a new code each time: whoever knew the old one pairs nothing any more. */
export async function deactivate(deps: PairingDeps, accountRef: number): Promise<SandboxAnswer> {
  const line = requireSandbox(deps);
  const before = await readOwned(deps, accountRef);
  const code = newCode(deps, accountRef);
  await deps.writer.write(deactivateSandbox, code);
  return answerOf(deps, line, withCode(before, code));
}

function requireSandbox({ registry }: PairingDeps): Line {
  const line = registry.all().find(({ isSandbox, isActive }) => isSandbox && isActive);
  if (!line) throw new ApiError('line_not_found', { message: 'This installation has no sandbox line.' });
  return line;
}

async function readOwned({ engine }: PairingDeps, accountRef: number): Promise<Pairing> {
  const { hasOwner, pairing } = await readPairing(engine, accountRef);
  if (!hasOwner) throw new ApiError('sandbox_requires_owner');
  return pairing;
}

function newCode({ clock, randomBytes }: PairingDeps, accountRef: number): NewCode {
  return { accountRef, code: makeCode(randomBytes(CODE_BYTES)), expiresAt: clock.now() + CODE_VALID_MS };
}

function withCode(pairing: Pairing, { code, expiresAt }: NewCode): Pairing {
  return { ...pairing, code, codeExpiresAt: expiresAt, phone: null, pairedAt: null };
}

function isValid({ clock }: PairingDeps, { code, codeExpiresAt }: Pairing): boolean {
  return code !== null && (codeExpiresAt ?? 0) > clock.now();
}

/** A code that has run out is none: the account may ask for another. */
function answerOf(deps: PairingDeps, line: Line, pairing: Pairing): SandboxAnswer {
  const now = deps.clock.now();
  const code = isValid(deps, pairing) ? pairing.code : null;
  return sandboxBody({
    status: pairing.phone !== null ? 'active' : code !== null ? 'pending' : 'missing',
    code,
    lineHandle: line.handle,
    phone: pairing.phone,
    pairedAt: pairing.pairedAt,
    sent: pairing.dayAt < dayOf(now) ? 0 : pairing.sent,
    sentMax: SANDBOX_DAILY_MAX,
    resetsAt: nextDayOf(Math.max(now, pairing.dayAt)),
  });
}
