/** `trunkline simulate file` and `trunkline simulate memo`: what a phone sends besides text. */
import type { Command } from 'commander';
import { showAnswer } from '../answer.ts';
import { chooseLine } from '../chosen-line.ts';
import { usageFailure } from '../failure.ts';
import { type Fields, textOf } from '../fields.ts';
import { wholeNumber } from '../option-values.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { uploadFile } from '../upload.ts';

const TRANSCRIBED_WITHIN_MS = 600_000;

interface FileOptions {
  readonly phone: string;
  readonly to?: string;
  readonly text?: string;
}

interface MemoOptions extends FileOptions {
  readonly transcription?: string;
  readonly transcriptionAfterMs?: number;
}

export function addPhoneFiles(simulate: Command, surroundings: Surroundings): void {
  fileCommand(simulate, 'file')
    .description('A phone sends a file to a line, or to a group that both are in.')
    .option('--text <text>', 'what it says with it')
    .action(async (path: string, options: FileOptions, command: Command) => {
      const text = options.text === undefined ? {} : { text: options.text };
      await sendFrom(openSession(surroundings, command), path, options, (file) => ({ ...text, attachments: [file] }));
    });
  fileCommand(simulate, 'memo')
    .description('A phone sends a voice memo to a line, or to a group that both are in.')
    .option('--transcription <text>', 'what the line makes out of it')
    .option('--transcription-after-ms <ms>', 'so much later', wholeNumber(0, TRANSCRIBED_WITHIN_MS))
    .action(async (path: string, options: MemoOptions, command: Command) => {
      const { transcription, transcriptionAfterMs: afterMs } = options;
      if (afterMs !== undefined && transcription === undefined)
        throw usageFailure('--transcription-after-ms goes with --transcription.');
      const transcribed = {
        ...(transcription === undefined ? {} : { transcription }),
        ...(afterMs === undefined ? {} : { transcription_after_ms: afterMs }),
      };
      await sendFrom(openSession(surroundings, command), path, options, (audio) => ({ audio, ...transcribed }));
    });
}

function fileCommand(simulate: Command, name: string): Command {
  return simulate
    .command(name)
    .argument('<path>', 'the file; - reads it from stdin')
    .requiredOption('--phone <handle>', "the phone's handle; any will do")
    .option('--to <line>', 'the line (handle or ln_ id) or the group (cht_); not needed with only one line');
}

async function sendFrom(
  session: Session,
  path: string,
  options: FileOptions,
  contentOf: (file: string) => Fields,
): Promise<void> {
  const to = await chooseLine(session.api, options.to, '--to');
  const file = textOf(await uploadFile(session, path), 'id') ?? '';
  const body = { from: options.phone, to, ...contentOf(file) };
  const answer = await session.api.call('POST', '/simulator/v1/messages', { body });
  showAnswer(session, answer, `${options.phone} sent ${path} to ${to}: ${textOf(answer, 'guid')}`);
}
