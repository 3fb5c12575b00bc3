/** `trunkline files`: uploads files, fetches them, and links to them. */
import type { Command } from 'commander';
import { showAnswer } from '../answer.ts';
import { fetchLink, fetchLinkTo } from '../download.ts';
import { usageFailure } from '../failure.ts';
import { type Fields, numberOf, textOf } from '../fields.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { type UploadOptions, uploadFile } from '../upload.ts';

export function addFilesCommand(program: Command, surroundings: Surroundings): void {
  const files = program
    .command('files')
    .summary('upload files, fetch them, link to them')
    .description("The account's files.");
  files
    .command('upload')
    .description('Uploads a file, for messages to name. A lost answer is asked for again: there is one file.')
    .argument('<path>', 'the file; - reads it from stdin')
    .option('--name <name>', 'what it is called; by default what it is called here')
    .option('--type <type>', "its media type; by default what its name's ending stands for")
    .option('--idempotency-key <key>', 'a key of your own, for a command that may be run again')
    .action(async (path: string, options: UploadOptions, command: Command) => {
      const session = openSession(surroundings, command);
      const file = await uploadFile(session, path, options);
      showAnswer(session, file, `Uploaded: ${textOf(file, 'id')} (${numberOf(file, 'size')} bytes)`);
    });
  files
    .command('get')
    .description('Fetches the bytes of a file, by its link.')
    .argument('<id>', 'the file (file_)')
    .option('--output <path>', 'where to write them, instead of to stdout')
    .action(async (id: string, options: { readonly output?: string }, command: Command) => {
      await getFile(openSession(surroundings, command), id, options.output);
    });
  files
    .command('url')
    .description('Prints a link to a file. It needs no key, and is good for 30 days.')
    .argument('<id>', 'the file (file_)')
    .action(async (id: string, _options: unknown, command: Command) => {
      const session = openSession(surroundings, command);
      const file = await findFile(session, id);
      showAnswer(session, file, textOf(file, 'url') ?? '-');
    });
}

async function getFile(session: Session, id: string, output: string | undefined): Promise<void> {
  const { terminal, isJson } = session;
  if (output === undefined && isJson) throw usageFailure('stdout carries the bytes: --json goes with --output.');
  // Bytes that others chose could command it.
  if (output === undefined && terminal.width !== null)
    throw usageFailure('These are bytes, and stdout is a terminal. Name a file with --output.');
  const file = await findFile(session, id);
  const link = textOf(file, 'url') ?? '';
  if (output === undefined) {
    await fetchLink(link, terminal.writeBytes);
    return;
  }
  const size = await fetchLinkTo(link, output);
  showAnswer(session, file, `Wrote ${output} (${size} bytes).`);
}

function findFile({ api }: Session, id: string): Promise<Fields> {
  return api.call('GET', `/v1/files/${encodeURIComponent(id)}`);
}
