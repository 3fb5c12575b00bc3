/** The attachments of messages: written with their message, read with a page of messages that have some. */

import type { MessageSeen, OutgoingFile } from '@trunkline/drivers';
import { type Attachment, AUDIO_MESSAGE_TYPE } from '../domain/message.ts';
import { type Engine, insertInto, type Row, type Statement, statement, type Tx } from './database.ts';
import { textOrNull } from './row-values.ts';

const insertAttachments = insertInto('attachments', {
  message_ref: 'int',
  place: 'int',
  file_ref: 'int',
  filename: 'text',
  mime_type: 'text',
  size: 'int',
  transcription: 'text',
});

const selectAttachments = statement(
  { message_ref: 'int' },
  `select attachments.message_ref, attachments.place, attachments.filename, attachments.mime_type, attachments.size,
     attachments.transcription, files.id as file_id, files.filename as file_filename
   from attachments left join files on files.ref = attachments.file_ref{, items}
   where attachments.message_ref = i.message_ref`,
);

const transcribe = statement(
  { message_ref: 'int', transcription: 'text' },
  'update attachments set transcription = i.transcription {from items} where attachments.message_ref = i.message_ref',
);

const filesOfAccount = statement(
  { account_ref: 'int', id: 'text' },
  `select files.ref, files.account_ref, files.id, files.filename, files.mime_type, files.size from files{, items}
   where files.id = i.id and files.account_ref = i.account_ref`,
);

/** The files of an account that are to go out, in the order of their ids; null where one of them is not there. */
export async function findOutgoingFiles(
  engine: Engine,
  accountRef: number,
  ids: readonly string[],
): Promise<readonly OutgoingFile[] | null> {
  const rows = await engine.readEach(
    filesOfAccount,
    ids.map((id) => ({ account_ref: accountRef, id })),
  );
  const byId = new Map(rows.map((row) => [String(row['id']), row]));
  const files = ids.flatMap((id) => outgoingFile(byId.get(id)));
  return files.length === ids.length ? files : null;
}

function outgoingFile(row: Row | undefined): OutgoingFile[] {
  if (!row) return [];
  const { id, filename, mime_type: mimeType, size } = row;
  return [{ file: String(id), filename: textOrNull(filename), mimeType: String(mimeType), size: Number(size) }];
}

/** A file that a sighting names. */
interface NamedFile {
  readonly ref: number;
  readonly id: string;
  readonly filename: string | null;
}

/** Gives the file of that id where it is that account's. */
export type SeenFiles = (accountRef: number, id: string) => NamedFile | null;

/**
 * The files that these sightings name. Whoever reports may name any: one that is not of the account whose message it is,
 * is not there.
 */
export async function findSeenFiles(
  tx: Tx,
  seen: readonly { readonly accountRef: number; readonly attachments: MessageSeen['attachments'] }[],
): Promise<SeenFiles> {
  const named = new Map<string, Row>();
  for (const { accountRef, attachments } of seen) {
    for (const { file } of attachments) {
      if (file !== null) named.set(`${accountRef} ${file}`, { account_ref: accountRef, id: file });
    }
  }
  const files = new Map<string, NamedFile>();
  for (const row of await tx.each(filesOfAccount, [...named.values()])) {
    const file = { ref: Number(row['ref']), id: String(row['id']), filename: textOrNull(row['filename']) };
    files.set(`${Number(row['account_ref'])} ${file.id}`, file);
  }
  return (accountRef, id) => files.get(`${accountRef} ${id}`) ?? null;
}

/** What a message brings, as its resource shows it. */
export function attachmentsOf(seen: MessageSeen, accountRef: number, files: SeenFiles): readonly Attachment[] {
  return seen.attachments.map((one) => {
    const file = one.file === null ? null : files(accountRef, one.file);
    return {
      file: file ? { id: file.id, filename: file.filename } : null,
      filename: one.filename,
      mimeType: seen.isAudioMessage ? AUDIO_MESSAGE_TYPE : one.mimeType,
      size: one.size,
      transcription: one.transcription,
    };
  });
}

export async function storeAttachments(
  tx: Tx,
  born: readonly { readonly ref: number; readonly accountRef: number; readonly attachments: readonly Attachment[] }[],
  files: SeenFiles,
): Promise<void> {
  const rows = born.flatMap(({ ref, accountRef, attachments }) =>
    attachments.map(({ file, filename, mimeType, size, transcription }, place) => ({
      message_ref: ref,
      place,
      file_ref: file === null ? null : (files(accountRef, file.id)?.ref ?? null),
      filename,
      mime_type: mimeType,
      size,
      transcription,
    })),
  );
  await tx.each(insertAttachments, rows);
}

/** By message, each message's in their order. */
export async function readAttachments(
  readEach: (statement: Statement, items: readonly Row[]) => Promise<Row[]>,
  messageRefs: readonly number[],
): Promise<ReadonlyMap<number, readonly Attachment[]>> {
  if (messageRefs.length === 0) return new Map();
  const rows = await readEach(
    selectAttachments,
    messageRefs.map((ref) => ({ message_ref: ref })),
  );
  const ordered = rows.toSorted((a, b) => Number(a['place']) - Number(b['place']));
  const groups = Map.groupBy(ordered, (row) => Number(row['message_ref']));
  return new Map([...groups].map(([ref, group]) => [ref, group.map(attachmentFromRow)]));
}

/** A voice memo has one attachment. */
export async function storeTranscriptions(
  tx: Tx,
  told: readonly { readonly messageRef: number; readonly transcription: string }[],
): Promise<void> {
  await tx.each(
    transcribe,
    told.map(({ messageRef, transcription }) => ({ message_ref: messageRef, transcription })),
  );
}

function attachmentFromRow(row: Row): Attachment {
  const id = textOrNull(row['file_id']);
  return {
    file: id === null ? null : { id, filename: textOrNull(row['file_filename']) },
    filename: textOrNull(row['filename']),
    mimeType: textOrNull(row['mime_type']),
    size: row['size'] === null ? null : Number(row['size']),
    transcription: textOrNull(row['transcription']),
  };
}
