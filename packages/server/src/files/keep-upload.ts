/** An uploaded file becomes the account's: its row is committed, and its bytes are kept with it. */
import type { Clock } from '../clock.ts';
import { CommitInDoubtError } from '../store/database.ts';
import { createFiles } from '../store/files.ts';
import type { Ticket } from '../store/ticket.ts';
import type { Writer } from '../store/writer.ts';
import type { ReceivedFile } from './received-file.ts';

export interface KeepUploadDeps {
  readonly writer: Writer;
  readonly clock: Clock;
}

/** Whoever received the file releases it, whatever becomes of this. */
export async function keepUpload(
  { writer, clock }: KeepUploadDeps,
  accountRef: number,
  file: ReceivedFile,
  ticket?: Ticket,
): Promise<void> {
  const { id, filename, mimeType, contentType, size } = file;
  const row = { id, accountRef, filename, mimeType, contentType, size, source: null, now: clock.now() };
  try {
    await writer.write(createFiles, row, ticket);
  } catch (error) {
    if (error instanceof CommitInDoubtError) file.leave();
    throw error;
  }
  await file.keep();
}
