/** What can be made to happen on a fake Mac, as plain data that goes over a pipe. Letters refer to the transport dossier. */
import type { Rule, Timings } from './behaviour.ts';
import type { Expected } from './oracle.ts';

/** A row that came to be, or will. */
export interface MadeRow {
  readonly guid: string;
  /** The chat's identifier: a peer's handle, or a group's. */
  readonly chat: string;
}

export interface WhereAndWhen {
  /** The group's identifier; without it, the direct chat with the peer. */
  readonly group?: string;
  readonly service?: string;
  /** Unix milliseconds by the sender's clock; without it, now. */
  readonly date?: number;
  /** The same, as so long before now. */
  readonly agoMs?: number;
  /** The row's link to its chat comes this much later; null: never (a.5). Without it, in the next transaction. */
  readonly joinAfterMs?: number | null;
}

export interface TextAct extends WhereAndWhen {
  readonly from: string;
  readonly text: string;
  readonly guid?: string;
  /** The GUID of the thread's first message (c.2). */
  readonly replyTo?: string;
  /** `expressive_send_style_id` (c.6). */
  readonly effect?: string;
  /** The own address that received it (a.4). */
  readonly destination?: string;
  /** The row names the line itself as its sender, as some of a direct chat do (a.4). */
  readonly hasOwnHandle?: boolean;
  /** Further chats that the row stands in. */
  readonly alsoIn?: readonly string[];
  /** `text` is NULL, cut, or all there, beside the whole `attributedBody` (b.1). */
  readonly textColumn?: 'whole' | 'cut' | 'null';
}

export interface FileContent {
  readonly name: string;
  readonly mimeType: string | null;
  readonly uti?: string | null;
  /** Base64. */
  readonly bytes: string;
}

/** The stages of an attachment that arrives (a.5): the row, the bytes, the state that says so. */
export interface Arrival {
  readonly rowAfterMs?: number;
  /** Null: the bytes never come. */
  readonly fileAfterMs?: number | null;
  /** Null: it is never said to be finished. */
  readonly doneAfterMs?: number | null;
  /** It ends in state 6. */
  readonly fails?: boolean;
}

export interface FilesAct extends WhereAndWhen {
  readonly from: string;
  readonly parts: readonly ({ readonly text: string } | { readonly file: FileContent })[];
  readonly arrival?: Arrival;
  readonly isAudio?: boolean;
  readonly transcription?: { readonly text: string; readonly afterMs: number };
}

export interface OwnTextAct extends WhereAndWhen {
  /** A peer's handle or a group's identifier. */
  readonly to: string;
  readonly text: string;
  /** Messages split it into these rows (a.5). */
  readonly pieces?: readonly string[];
  readonly sentAfterMs?: number | null;
  readonly deliveredAfterMs?: number | null;
  readonly readAfterMs?: number | null;
  readonly fails?: { readonly error: number; readonly afterMs: number };
  readonly downgradesAfterMs?: number;
}

export interface ReactAct {
  /** Null: the owner, on another device. */
  readonly from: string | null;
  readonly guid: string;
  readonly part?: number;
  /** 2000 to 2007 (c.1). */
  readonly type: number;
  readonly emoji?: string;
  readonly added: boolean;
  /** A removal also deletes the row that added it, as it often does; true without being said. */
  readonly deletesAddedRow?: boolean;
}

/** A message as the phone at the other end got it. */
export interface GotMessage {
  readonly guid: string;
  readonly text: string | null;
  readonly files: readonly { readonly name: string; readonly path: string; readonly sha256: string }[];
  readonly at: number;
}

export interface MacActs {
  createGroup(act: {
    readonly participants: readonly string[];
    readonly name: string | null;
    readonly hex?: boolean;
  }): { readonly guid: string; readonly chat: string };
  /** A chat that Messages knows, with nothing in it. */
  createDirectChat(act: { readonly peer: string; readonly service?: string }): { readonly guid: string };

  text(act: TextAct): MadeRow;
  /** A text, and then a second row with the preview of its link (a.5, b.6). */
  textWithPreview(act: TextAct & { readonly url: string; readonly previewAfterMs: number }): MadeRow & {
    readonly preview: string;
  };
  /** A text whose own row gets the preview of its link later. */
  textWithBalloon(act: TextAct & { readonly url: string; readonly balloonAfterMs: number }): MadeRow;
  files(act: FilesAct): MadeRow;
  react(act: ReactAct): MadeRow;
  edit(act: { readonly guid: string; readonly text: string; readonly part?: number }): null;
  /** Without a part the whole message (b.5). */
  unsend(act: { readonly guid: string; readonly part?: number }): null;
  /** With `agoMs` it tells of a name that the group had then, as what a restore brings in. */
  renameGroup(act: {
    readonly group: string;
    readonly by: string;
    readonly name: string | null;
    readonly agoMs?: number;
  }): MadeRow;
  changeMember(act: {
    readonly group: string;
    readonly by: string;
    readonly who: string;
    readonly added: boolean;
  }): MadeRow;

  /** The owner writes on another device. */
  ownText(act: OwnTextAct): MadeRow;
  delivered(act: { readonly guid: string }): null;
  read(act: { readonly guid: string }): null;
  fail(act: { readonly guid: string; readonly error: number }): null;
  downgrade(act: { readonly guid: string }): null;
  /** The peer reads all that it got of the line. */
  readAll(act: { readonly peer: string }): null;
  /** Two rows with GUIDs of their own for one message to oneself (h.2). */
  selfChat(act: { readonly text: string; readonly gapMs: number }): MadeRow & { readonly twin: string };
  /** Send Later: its date is the planned time (a.4). */
  sendLater(act: { readonly to: string; readonly text: string; readonly inMs: number }): MadeRow;
  ghost(act: { readonly identifier: string }): MadeRow;

  delete(act: { readonly guid: string }): null;
  recentlyDelete(act: { readonly guid: string }): null;
  /** Two chats of one person become one: what was in the one is in the other, and the one is gone. */
  mergeChats(act: { readonly from: string; readonly into: string }): null;
  /** A row that is there and gone again: nothing but a gap in the ROWIDs. */
  gap(act: { readonly rows: number }): null;
  /** iCloud brings in old rows, in any order. The newest is of this moment (Unix ms), or this old. */
  flood(
    act: { readonly from: readonly string[]; readonly rows: number } & (
      | { readonly newest: number }
      | { readonly agoMs: number }
    ),
  ): null;
  checkpoint(act: object): boolean;
  rotate(act: object): null;
  replaceByCopy(act: object): null;
  replaceByRebuilt(act: { readonly keep: number }): null;
  /** Another process' reader holds its snapshot. */
  holdReadLock(act: { readonly ms: number }): null;
  /** Whoever opens the database meanwhile finds it locked; false, and nothing done, where a reader has it open. */
  lockOut(act: { readonly ms: number }): boolean;

  /** How Messages answers Apple events from now on; the first rule that fits decides. Timings not given are the usual. */
  behave(act: { readonly rules: readonly Rule[]; readonly timings?: Partial<Timings> }): null;
  /** Chats whose id in Messages' live collection is another than in the database, or that are not in it (d.4). */
  setLiveIds(act: {
    readonly ids: readonly { readonly guid: string; readonly live: string | null }[];
    /** A deep link to such a chat brings it in, under its own GUID. */
    readonly comeByLink?: boolean;
  }): null;
  /** While Messages does not run, nothing is answered, and `open` starts it. */
  setRunning(act: { readonly isRunning: boolean }): null;
  setAccounts(act: { readonly accounts: readonly Account[] }): null;
  received(act: { readonly chat: string }): readonly GotMessage[];

  oracle(act: object): readonly Expected[];
}

/** An account as the scripting dictionary shows it (d.1). */
export interface Account {
  readonly id: string;
  readonly service: 'iMessage' | 'SMS' | 'RCS';
  readonly isEnabled: boolean;
  readonly status: 'connected' | 'connecting' | 'disconnected' | 'disconnecting';
}
