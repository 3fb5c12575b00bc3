/**
 * What becomes of a file that a message names by its URL: one of the account's own, by a link made here, goes as it is;
 * any other is fetched as the item's first step.
 */
import type { OutgoingFile } from '@trunkline/drivers';
import type { FileLinks } from '../domain/file-links.ts';
import type { Line } from '../domain/line.ts';
import { CONTACT_CARD_TYPE, isContactCard } from '../files/content-type.ts';
import { checkMediaUrl } from '../files/fetch-file.ts';
import { endsAs } from '../files/filename.ts';
import { findVoiceMemo, type VoiceMemoDeps } from '../files/voice-memos.ts';
import type { NetworkGuard } from '../network/guard.ts';
import { findFile } from '../store/files.ts';
import type { Recipient } from '../store/outbox.ts';
import type { Details } from './command.ts';
import { type Addressed, hasFeature, requireContact } from './preconditions.ts';
import { isSoundAlone } from './prepare-file.ts';

export interface NamedMediaDeps extends VoiceMemoDeps {
  readonly guard: NetworkGuard;
  readonly links: FileLinks;
  readonly mayBeCold: (line: Line, to: Recipient) => boolean;
}

export interface NamedMedia extends Addressed {
  readonly url: string;
  /** What the message says beside it. */
  readonly text: string | undefined;
  /** The request's field that names the URL. */
  readonly param: string;
}

export interface SettledMedia {
  readonly kind: 'message' | 'audio_message';
  readonly details: Pick<Details, 'fetch' | 'files'>;
}

/** Throws `invalid_parameter_value` for a URL that may not be called, and the refusals of whoever makes voice memos. */
export async function settleMedia(deps: NamedMediaDeps, media: NamedMedia): Promise<SettledMedia> {
  const own = await findOwnFile(deps, media);
  if (own === null) {
    const url = await checkMediaUrl(deps.guard, media.url, media.param);
    return { kind: 'message', details: { fetch: { url } } };
  }
  const memo = isSoundAlone(media.text, own) && (await findMemo(deps, media, own.file));
  if (memo) return { kind: 'audio_message', details: { files: [memo] } };
  return { kind: 'message', details: { files: [own.file] } };
}

interface OwnFile {
  readonly file: OutgoingFile;
  readonly contentType: string | null;
  endsIn(extension: string): boolean;
}

/** A link to another account's file is a URL like any other. */
async function findOwnFile(
  { engine, links }: NamedMediaDeps,
  { accountRef, url }: NamedMedia,
): Promise<OwnFile | null> {
  const id = links.fileOf(url);
  const stored = id === null ? null : await findFile(engine, accountRef, id);
  if (!stored) return null;
  const { filename, contentType, size } = stored;
  const endsIn = endsAs([filename, URL.parse(url)?.pathname]);
  const mimeType = isContactCard(contentType, endsIn) ? CONTACT_CARD_TYPE : stored.mimeType;
  return { file: { file: stored.id, filename, mimeType, size }, contentType, endsIn };
}

/** Null where the line has no voice memos, or where the file cannot be played as one: it is a file all the same. */
async function findMemo(deps: NamedMediaDeps, media: NamedMedia, file: OutgoingFile): Promise<OutgoingFile | null> {
  const { accountRef, line, to } = media;
  if (!hasFeature(line, 'audio')) return null;
  // Whoever is refused anyway need not wait for the sound.
  if (!line.isSandbox) await requireContact(deps.engine, media, deps.mayBeCold(line, to));
  return (await findVoiceMemo(deps, accountRef, file)).audio;
}
