/** Sends one item: its text, then its files, each handed over once over all attempts. */
import type { Disposition, DriverFiles, OutgoingFile, SendMessage } from '../../line-driver.ts';
import { awaitRow } from './await-row.ts';
import { type DeliverDeps, deliverPart, type PartOutcome } from './deliver-part.ts';
import type { LedgerItem, LedgerPart } from './ledger.ts';
import type { Staging } from './stage-file.ts';

export interface SendMessageDeps extends DeliverDeps {
  readonly staging: Staging;
}

const VOIDED = 'This attempt was given up before it began.';
const OUTDATED = 'A later attempt of the same message has begun.';
const LOST = 'Its script was ended before it was known what became of the message; it may have gone out.';

/** To be called in the lane. Where it rejects, the ledger says how far it came. */
export async function sendMessage(
  deps: SendMessageDeps,
  command: SendMessage,
  files: Pick<DriverFiles, 'read'>,
): Promise<Disposition> {
  const { reference, attempt } = command;
  // The words of a script's argument end at a NUL.
  if (command.text?.includes('\0')) return { state: 'failed', reason: 'A text with a NUL character cannot be sent.' };
  if (deps.ledger.voidedThrough(reference) >= attempt) return { state: 'not_started', reason: VOIDED };
  const item = deps.ledger.begin(command, deps.now());
  if (item.attempt > attempt) return { state: 'not_started', reason: OUTDATED };
  if (item.parts.length === 0) return { state: 'failed', reason: 'There is nothing to send.' };
  let isSeen = true;
  let firstGuid: string | null = null;
  for (const part of item.parts) {
    const outcome = await bringOut(deps, part, fileOf(item, part, command), files);
    if (outcome.state === 'not_started' || outcome.state === 'failed' || outcome.state === 'unknown') {
      return { state: outcome.state, reason: explain(item, part, outcome.reason) };
    }
    if (outcome.state === 'seen') firstGuid ??= outcome.guid;
    else isSeen = false;
  }
  return isSeen && firstGuid !== null ? { state: 'sent', guid: firstGuid } : { state: 'accepted' };
}

/** A part goes out only where it is proven that it has not. */
async function bringOut(
  deps: SendMessageDeps,
  part: LedgerPart,
  file: OutgoingFile | null,
  files: Pick<DriverFiles, 'read'>,
): Promise<PartOutcome> {
  if (part.state === 'seen' && part.guid !== null) return { state: 'seen', guid: part.guid };
  if (part.state === 'failed') return { state: 'failed', reason: part.reason ?? 'It has failed before.' };
  if (part.state === 'dispatching' || part.state === 'unknown') return lookAgain(deps, part);
  if (part.text !== null) return deliverPart(deps, part, null);
  if (file === null) return { state: 'failed', reason: 'The file is not among those of the message.' };
  try {
    return await deliverPart(deps, part, await stagedPathOf(deps, part, file, files));
  } catch (error) {
    if (!(error instanceof StagingError)) throw error;
    return { state: 'not_started', reason: error.message };
  }
}

/** One that Messages took without a word is still awaited; of any other nobody knows. */
async function lookAgain(deps: SendMessageDeps, part: LedgerPart): Promise<PartOutcome> {
  const sighting = await awaitRow(deps, part, deps.timings.settleMs);
  if (sighting.state !== 'absent') return sighting;
  if (part.state === 'unknown' && part.reason === null) return { state: 'accepted' };
  const reason = part.reason ?? LOST;
  deps.ledger.settle(part, 'unknown', reason);
  return { state: 'unknown', reason };
}

class StagingError extends Error {}

/** What an earlier attempt staged is good enough. */
async function stagedPathOf(
  { staging }: SendMessageDeps,
  { stagedPath }: LedgerPart,
  file: OutgoingFile,
  files: Pick<DriverFiles, 'read'>,
): Promise<string> {
  if (stagedPath !== null && (await staging.has(stagedPath))) return stagedPath;
  try {
    return await staging.stage(file, files);
  } catch (error) {
    const { message, code } =
      error instanceof Error ? { code: null, ...error, message: error.message } : { code: null, message: '' };
    const isRefused = code === 'EPERM' || code === 'EACCES';
    const hint = isRefused ? ' Give this program Full Disk Access in System Settings, Privacy & Security.' : '';
    throw new StagingError(`A file could not be put where Messages may read it: ${message}.${hint}`, { cause: error });
  }
}

function fileOf({ parts }: LedgerItem, { part }: LedgerPart, { attachments }: SendMessage): OutgoingFile | null {
  const texts = parts.filter(({ text }) => text !== null).length;
  return attachments[part - texts] ?? null;
}

/** Says of an item of several parts which one it is about, and what went before it. */
function explain({ parts }: LedgerItem, part: LedgerPart, reason: string): string {
  if (parts.length === 1) return reason;
  const name =
    part.text === null ? `File ${part.part - parts.filter(({ text }) => text !== null).length + 1}` : 'The text';
  const before = part.part === 0 ? '' : ' What comes before it was handed over and is not sent again.';
  return `${name}: ${reason}${before}`;
}
