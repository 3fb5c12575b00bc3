/**
 * A process that sends from a fake Mac and may be killed at any moment: `node sending-agent.ts JOB`. It asks about what
 * it lost, sends the rest, and prints a line before each hand-over and after each outcome.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Disposition, HandOver, LookUp } from '../src/line-driver.ts';
import { createChatDb } from '../src/macos/chat-db/chat-db.ts';
import { openJournal } from '../src/macos/journal.ts';
import { createMacSender } from '../src/macos/send/mac-sender.ts';
import { SEND_TABLES } from '../src/macos/send/send-tables.ts';

export interface AgentJob {
  readonly folder: string;
  readonly home: string;
  readonly chatDb: string;
  readonly osascript: readonly string[];
  readonly peer: string;
  readonly lost: readonly HandOver[];
  /** Each says its own reference, and brings a file that is named after it. */
  readonly pending: readonly HandOver[];
}

export type AgentLine =
  | { readonly what: 'found'; readonly reference: string; readonly state: LookUp['state'] }
  | { readonly what: 'begins'; readonly reference: string; readonly attempt: number }
  | { readonly what: 'ended'; readonly reference: string; readonly state: Disposition['state'] };

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? '{}'));

async function main({ folder, home, chatDb: path, osascript, peer, lost, pending }: AgentJob): Promise<void> {
  const chatDb = createChatDb({ path, home });
  const journal = openJournal(join(folder, 'journal.db'), SEND_TABLES);
  const sender = createMacSender({
    chatDb,
    journal,
    home,
    osascript,
    service: 'imessage',
    now: Date.now,
    uuid: randomUUID,
    timings: { pollMs: 20, textRowMs: 2_000, fileRowMs: 2_000, settleMs: 100 },
    log: () => undefined,
  });
  const found = await sender.find(lost);
  for (const [reference, { state }] of found) print({ what: 'found', reference, state });
  const again = lost.filter(({ reference }) => found.get(reference)?.state === 'not_started');
  const next = again.map(({ reference, attempt }) => ({ reference, attempt: attempt + 1 }));
  for (const { reference, attempt } of [...next, ...pending]) {
    print({ what: 'begins', reference, attempt });
    const name = `${reference}.jpg`;
    const file = { file: reference, filename: name, mimeType: 'image/jpeg', size: Buffer.byteLength(name) };
    const read = async () =>
      (async function* () {
        yield Buffer.from(name);
      })();
    const { state } = await sender.send(
      {
        kind: 'message',
        reference,
        attempt,
        chat: { identifier: peer, isGroup: false },
        text: reference,
        attachments: [file],
        replyToGuid: null,
        effect: null,
      },
      { read },
    );
    print({ what: 'ended', reference, state });
  }
  await sender.close();
  journal.close();
  chatDb.close();
}

/** On a pipe it is written when this returns. */
function print(line: AgentLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
