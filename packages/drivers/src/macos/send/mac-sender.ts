/**
 * Sending from a Mac without any help but AppleScript: texts and files, one at a time, each at most once, and believed
 * only when their rows are seen. All drivers of one Mac share one sender.
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command, Disposition, DriverContext, DriverFiles, HandOver, LookUp } from '../../line-driver.ts';
import type { Service } from '../../service.ts';
import type { ChatDb } from '../chat-db/chat-db.ts';
import type { Journal } from '../journal.ts';
import type { OwnRows } from '../own-rows.ts';
import { healthOf, listAccounts, type SenderHealth } from './accounts.ts';
import { type Flight, findSends } from './find-sends.ts';
import { createLedger } from './ledger.ts';
import { createScriptRunner } from './osascript.ts';
import { createOwnRowClaims } from './own-row-claims.ts';
import { createSendLane } from './send-lane.ts';
import { type SendMessageDeps, sendMessage } from './send-message.ts';
import { createStaging } from './stage-file.ts';
import { SEND_TIMINGS, type SendTimings } from './timings.ts';

export interface MacSenderOptions {
  readonly chatDb: ChatDb;
  /** Made with `SEND_TABLES`. */
  readonly journal: Journal;
  /** The home folder of the user that Messages runs as. */
  readonly home: string;
  /** The service by which a peer without a chat is reached. */
  readonly service: Service;
  /** The commands that stand for the programs of macOS. */
  readonly osascript?: readonly string[];
  readonly open?: readonly string[];
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly uuid: () => string;
  readonly timings?: Partial<SendTimings>;
  readonly log: DriverContext['log'];
}

export interface MacSender {
  /** Waits for its turn. What cannot be classified is `unknown`. Rejects only where the journal cannot be read any more. */
  send(command: Command, files: Pick<DriverFiles, 'read'>): Promise<Disposition>;
  find(lost: readonly HandOver[]): Promise<ReadonlyMap<string, LookUp>>;
  readonly ownRows: OwnRows;
  /** Whether Messages may be told to send, and has an account to send by. Nothing is sent. */
  probe(): Promise<SenderHealth>;
  /** Hands nothing over any more, and waits for what is under way. */
  close(): Promise<void>;
}

const OSASCRIPT = ['/usr/bin/osascript'] as const;
const OPEN = ['/usr/bin/open'] as const;
/** By its bundle; hidden, in the background. */
const OPEN_MESSAGES = ['-gj', '-b', 'com.apple.MobileSMS'] as const;
const PRUNE_EVERY_MS = 60 * 60_000;
const STOPPING: Disposition = { state: 'not_started', reason: 'The bridge is stopping.' };

export function createMacSender(options: MacSenderOptions): MacSender {
  const { chatDb, journal, now, log } = options;
  const timings = { ...SEND_TIMINGS, ...options.timings };
  const ledger = createLedger(journal);
  const claims = createOwnRowClaims(journal, now);
  const lane = createSendLane();
  const flights = new Set<Flight>();
  const state = { isClosing: false, prunedAt: Number.NEGATIVE_INFINITY };
  const run = createScriptRunner(options.osascript ?? OSASCRIPT);
  const openWith = (argv: readonly string[]): Promise<void> => runQuietly([...(options.open ?? OPEN), ...argv], log);
  const deps: SendMessageDeps & { readonly flights: ReadonlySet<Flight> } = {
    chatDb,
    ledger,
    claims,
    flights,
    run,
    now,
    timings,
    service: options.service,
    staging: createStaging(options),
    sleep: (ms) => sleep(ms),
    openUrl: (url) => openWith(['-g', url]),
    openMessages: () => openWith(OPEN_MESSAGES),
    isClosing: () => state.isClosing,
  };
  const pruneSometimes = async (): Promise<void> => {
    if (now() - state.prunedAt < PRUNE_EVERY_MS) return;
    state.prunedAt = now();
    ledger.forget(now());
    const pruned = await deps.staging.prune(ledger.isStagedOpen);
    if (pruned > 0) log('info', 'staged files removed', { pruned });
  };
  return {
    ownRows: claims,
    send: async (command, files) => {
      if (command.kind !== 'message') return { state: 'failed', reason: UNABLE[command.kind] };
      const { reference } = command;
      const gate = Promise.withResolvers<void>();
      const flight: Flight = { reference, hasBegun: false, done: gate.promise };
      flights.add(flight);
      const work = async (): Promise<Disposition> => {
        if (state.isClosing) return STOPPING;
        flight.hasBegun = true;
        const disposition = await settleErrors(deps, reference, log, () => sendMessage(deps, command, files));
        log('info', 'a message was handed to Messages', { reference, state: disposition.state });
        await pruneSometimes().catch((error: unknown) =>
          log('warn', 'nothing old was removed', { error: String(error) }),
        );
        return disposition;
      };
      return lane.run(work).finally(() => {
        flights.delete(flight);
        gate.resolve();
      });
    },
    find: (lost) => findSends(deps, lost),
    probe: async () => healthOf(await listAccounts(run, timings.probeLimitMs), options.service),
    close: async () => {
      state.isClosing = true;
      await lane.idle();
    },
  };
}

const UNABLE: Readonly<Record<Exclude<Command['kind'], 'message'>, string>> = {
  audio_message: 'Messages on the Mac can be told to send texts and files, and no voice memos.',
  reaction: 'Messages on the Mac cannot be told to react.',
  typing: 'Messages on the Mac cannot be told to show typing.',
  receipt: 'Messages on the Mac cannot be told to mark a chat as read.',
};

/** What broke is told by how far the ledger came: what was dispatched may have gone out. */
async function settleErrors(
  { ledger }: SendMessageDeps,
  reference: string,
  log: DriverContext['log'],
  work: () => Promise<Disposition>,
): Promise<Disposition> {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log('error', 'a send broke off', { reference, error: message });
    const dispatched = (ledger.item(reference)?.parts ?? []).filter((part) => part.state === 'dispatching');
    const reason = `The bridge could not go on: ${message}`;
    for (const part of dispatched) ledger.settle(part, 'unknown', reason);
    return { state: dispatched.length > 0 ? 'unknown' : 'not_started', reason };
  }
}

/** `open` only helps: whether it did is seen by what it was to open. */
function runQuietly([file = '', ...argv]: readonly string[], log: DriverContext['log']): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(file, argv, { stdio: 'ignore' });
    child.on('error', (error) => {
      log('warn', 'a program could not be run', { file, error: error.message });
      resolve();
    });
    child.on('close', () => resolve());
  });
}
