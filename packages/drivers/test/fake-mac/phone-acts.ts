/** What peers write. Letters refer to the transport dossier. */
import type { FilesAct, MacActs, MadeRow, TextAct } from './acts.ts';
import { attachmentGuid, receiveFile } from './attachment-rows.ts';
import { encodeBinaryPlist, Uid } from './binary-plist.ts';
import type { Part } from './bodies.ts';
import type { ChatRow, Row } from './chat-db.ts';
import { chatOf, dateOf, inboundRow, insertAndJoin, newGuid } from './message-rows.ts';
import type { ExpectedMessage } from './oracle.ts';
import type { World } from './world.ts';

/** b.6 */
const URL_BALLOON = 'com.apple.messages.URLBalloonProvider';

export function createPhoneActs(
  world: World,
): Pick<MacActs, 'createGroup' | 'createDirectChat' | 'text' | 'textWithPreview' | 'textWithBalloon' | 'files'> {
  return {
    createGroup: ({ participants, name, hex }) => {
      const { guid, identifier } = world.db.groupChat(participants, name, hex);
      return { guid, chat: identifier };
    },
    createDirectChat: ({ peer, service }) => ({ guid: world.db.directChat(peer, service).guid }),
    text: (act) => receiveText(world, act),
    textWithPreview: (act) => {
      const made = receiveText(world, act);
      const preview = newGuid();
      world.oracle.addRow(made.guid, preview);
      world.schedule.after(act.previewAfterMs, () => receivePreview(world, act, preview));
      return { ...made, preview };
    },
    textWithBalloon: (act) => {
      const made = receiveText(world, act);
      world.schedule.after(act.balloonAfterMs, () => world.db.updateMessage(made.guid, balloonColumns(act.url)));
      return made;
    },
    files: (act) => receiveFiles(world, act),
  };
}

function receiveText(world: World, act: TextAct): MadeRow {
  const chat = chatOf(world, act.from, act);
  const guid = act.guid ?? newGuid();
  const parts: Part[] = [{ text: act.text }];
  const date = dateOf(world, act);
  const handle = world.db.handle(act.hasOwnHandle === true ? world.db.owner.handle : act.from, chat.service);
  const columns: Row = {
    ...inboundRow(world, { guid, handle, service: chat.service, date }, parts),
    ...textColumn(act),
    ...(act.replyTo === undefined
      ? {}
      : { thread_originator_guid: act.replyTo, thread_originator_part: `0:0:${act.text.length}` }),
    ...(act.effect === undefined ? {} : { expressive_send_style_id: act.effect }),
    ...(act.destination === undefined ? {} : { destination_caller_id: act.destination }),
  };
  world.bodies.set(guid, { parts, versions: new Map(), retracted: [] });
  if (act.joinAfterMs === null) world.oracle.expect({ what: 'silence', guid, why: 'orphan' });
  const others = (act.alsoIn ?? []).map((other) => world.db.chat(other) ?? world.db.directChat(other));
  // A row in several chats is told of in the oldest one (a.4).
  const [oldest = chat] = [chat, ...others].sort((left, right) => left.rowid - right.rowid);
  if (act.joinAfterMs !== null) world.oracle.expect(expectedInbound(act, oldest, { guid, text: act.text, date }));
  return insertAndJoin(world, columns, [chat, ...others], act.joinAfterMs, () =>
    world.oracle.complete(guid, world.now()),
  );
}

function textColumn({ text, textColumn }: TextAct): Row {
  if (textColumn === 'null') return { text: null };
  return textColumn === 'cut' ? { text: text.slice(0, Math.ceil(text.length / 2)) } : {};
}

function expectedInbound(
  act: Pick<TextAct, 'from' | 'replyTo' | 'effect'>,
  chat: ChatRow,
  made: { readonly guid: string; readonly text: string | null; readonly date: number },
): ExpectedMessage {
  return {
    what: 'message',
    ...made,
    rows: [made.guid],
    chat: chat.identifier,
    isGroup: chat.isGroup,
    isFromMe: false,
    sender: act.from,
    service: chat.service,
    attachments: [],
    isAudio: false,
    replyTo: act.replyTo ?? null,
    effect: act.effect ?? null,
    completeAt: null,
    isOld: false,
    later: [],
  };
}

/** The second row: the same sender and chat, the balloon's placeholder for a text (a.5, b.6). */
function receivePreview(world: World, act: TextAct & { readonly url: string }, guid: string): void {
  const chat = chatOf(world, act.from, act);
  const handle = world.db.handle(act.from, chat.service);
  const row = inboundRow(world, { guid, handle, service: chat.service, date: world.now() }, [{ text: '\uFFFD' }]);
  insertAndJoin(world, { ...row, ...balloonColumns(act.url) }, [chat], act.joinAfterMs);
}

function balloonColumns(url: string): Row {
  return { balloon_bundle_id: URL_BALLOON, payload_data: linkPayload(url), has_dd_results: 1 };
}

/** A keyed archive with the link's metadata (b.6). */
function linkPayload(url: string): Buffer {
  const urlClass = { $classname: 'NSURL', $classes: ['NSURL', 'NSObject'] };
  const metadataClass = { $classname: 'LPLinkMetadata', $classes: ['LPLinkMetadata', 'NSObject'] };
  const objects = [
    '$null',
    { richLinkMetadata: new Uid(2), $class: new Uid(7) },
    { URL: new Uid(3), originalURL: new Uid(3), title: new Uid(5), $class: new Uid(7) },
    { 'NS.base': new Uid(0), 'NS.relative': new Uid(4), $class: new Uid(6) },
    url,
    `The page at ${url}`,
    urlClass,
    metadataClass,
  ];
  return encodeBinaryPlist({
    $version: 100_000,
    $archiver: 'NSKeyedArchiver',
    $top: { root: new Uid(1) },
    $objects: objects,
  });
}

function receiveFiles(world: World, act: FilesAct): MadeRow {
  const chat = chatOf(world, act.from, act);
  const guid = newGuid();
  const date = dateOf(world, act);
  const files = act.parts.flatMap((part, place) =>
    'file' in part ? [{ ...part.file, guid: attachmentGuid(place, guid) }] : [],
  );
  const parts = act.parts.map((part, place): Part => {
    return 'text' in part ? part : { attachment: attachmentGuid(place, guid), filename: part.file.name };
  });
  const handle = world.db.handle(act.from, chat.service);
  const row = inboundRow(world, { guid, handle, service: chat.service, date }, parts);
  const texts = parts.flatMap((part) => ('text' in part ? [part.text] : []));
  world.bodies.set(guid, { parts, versions: new Map(), retracted: [] });
  if (act.joinAfterMs === null) world.oracle.expect({ what: 'silence', guid, why: 'orphan' });
  else {
    world.oracle.expect({
      ...expectedInbound({ from: act.from }, chat, { guid, text: texts.length === 0 ? null : texts.join(''), date }),
      attachments: files.map((file) => ({
        guid: file.guid,
        name: file.name,
        size: Buffer.from(file.bytes, 'base64').length,
      })),
      isAudio: act.isAudio === true,
    });
  }
  const columns = act.isAudio === true ? { ...row, is_audio_message: 1, is_expirable: 1 } : row;
  const made = insertAndJoin(world, columns, [chat], act.joinAfterMs, () => world.oracle.complete(guid, world.now()));
  for (const file of files) receiveFile(world, made.guid, file, act);
  return made;
}
