/** The fake Messages as scripts see it: it resolves, it sends, and it tells little of what becomes of it (d.1 to d.7). */
import type { Account, GotMessage, MacActs } from './acts.ts';
import type { AppleAnswer, AppleEvent } from './apple-event.ts';
import { DEFAULT_TIMINGS, type Outcome, type Rule, type Timings } from './behaviour.ts';
import type { ChatRow } from './chat-db.ts';
import { insertGhost, markFailed } from './own-acts.ts';
import { type Posting, postFile, postText } from './posting.ts';
import type { World } from './world.ts';

export interface MessagesApp {
  readonly acts: Pick<MacActs, 'behave' | 'setLiveIds' | 'setRunning' | 'setAccounts' | 'received'>;
  /** Calls back once, later, or never. */
  handle(event: AppleEvent, answer: (answer: AppleAnswer) => void): void;
  /** Opens Messages, and the chat of a deep link. */
  open(url: string | null): void;
  isRunning(): boolean;
}

const APP_NOT_RUNNING = -600;
const NOT_FOUND = -1728;
const UNREACHABLE = 22;

interface State {
  isRunning: boolean;
  accounts: readonly Account[];
  /** The live ids of chats that have another than their GUID, or none. */
  liveIds: ReadonlyMap<string, string | null>;
  comeByLink: boolean;
  rules: { readonly rule: Rule; left: number }[];
  timings: Timings;
  readonly got: Map<string, GotMessage[]>;
}

export function createMessagesApp(world: World): MessagesApp {
  const state: State = {
    isRunning: true,
    accounts: [{ id: world.db.owner.accountId, service: 'iMessage', isEnabled: true, status: 'connected' }],
    liveIds: new Map(),
    comeByLink: false,
    rules: [],
    timings: DEFAULT_TIMINGS,
    got: new Map(),
  };
  return {
    acts: {
      behave: ({ rules, timings }) => {
        state.rules = rules.map((rule) => ({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }));
        state.timings = { ...DEFAULT_TIMINGS, ...timings };
        return null;
      },
      setLiveIds: ({ ids, comeByLink = false }) => {
        state.liveIds = new Map(ids.map(({ guid, live }) => [guid, live]));
        state.comeByLink = comeByLink;
        return null;
      },
      setRunning: ({ isRunning }) => {
        state.isRunning = isRunning;
        return null;
      },
      setAccounts: ({ accounts }) => {
        state.accounts = accounts;
        return null;
      },
      received: ({ chat }) => state.got.get(chat) ?? [],
    },
    handle: (event, answer) => handleEvent(world, state, event, answer),
    open: (url) => {
      state.isRunning = true;
      if (url !== null && state.comeByLink) bringIn(world, state, decodeURIComponent(url));
    },
    isRunning: () => state.isRunning,
  };
}

function handleEvent(world: World, state: State, event: AppleEvent, answer: (answer: AppleAnswer) => void): void {
  const reply = (one: AppleAnswer): void => world.schedule.after(state.timings.answerMs, () => answer(one));
  if (!state.isRunning) {
    reply(refusal(APP_NOT_RUNNING, 'Application isn’t running.'));
    return;
  }
  const outcome = outcomeOf(state, event);
  if (outcome.does === 'refuse') {
    reply(refusal(outcome.error, `Messages got an error: refused (${event.what}).`));
    return;
  }
  if (event.what !== 'text' && event.what !== 'file') {
    if (outcome.does !== 'hang') reply({ ok: true, output: answerProbe(world, state, event) });
    return;
  }
  const target = resolveTarget(world, state, event);
  if (!target.ok) {
    reply(target);
    return;
  }
  const answered = send(world, state, { event, outcome, target });
  if (answered !== null) reply(answered);
}

/** The first rule that fits, and has times left. */
function outcomeOf(state: State, event: AppleEvent): Outcome {
  const fitting = state.rules.find(({ rule: { when }, left }) => {
    if (left <= 0) return false;
    const name = event.target?.form === 'chat' ? event.target.guid : (event.target?.handle ?? '');
    return (
      (when?.what === undefined || when.what === event.what) &&
      (when?.to === undefined || name.endsWith(when.to)) &&
      (when?.textHas === undefined || (event.text ?? '').includes(when.textHas))
    );
  });
  if (fitting === undefined) return { does: 'work' };
  fitting.left -= 1;
  return fitting.rule.outcome;
}

/** d.1: a count and the accounts' ids as osascript prints a list, or a line for each account. */
function answerProbe(world: World, state: State, event: AppleEvent): string {
  if (event.what === 'name') return 'Messages';
  if (event.what === 'accounts') {
    return state.accounts
      .map(({ id, service, isEnabled, status }) => [id, service, isEnabled, status].join('\t'))
      .join('\n');
  }
  if (event.what === 'chats') {
    return world.db
      .all('SELECT guid FROM chat ORDER BY ROWID')
      .flatMap(({ guid }) => liveIdOf(state, String(guid)) ?? [])
      .join(', ');
  }
  const guid = event.target?.form === 'chat' ? event.target.guid : '';
  return [liveChat(world, state, guid) === null ? 0 : 1, ...state.accounts.map(({ id }) => id)].join(', ');
}

/** The live collection knows a chat by its exact id, which is its GUID as a rule (a.4, d.4). */
function liveChat(world: World, state: State, id: string): ChatRow | null {
  const renamed = [...state.liveIds].find(([, live]) => live === id);
  const chat = world.db.chat(renamed?.[0] ?? id);
  return chat !== null && liveIdOf(state, chat.guid) === id ? chat : null;
}

function liveIdOf(state: State, guid: string): string | null {
  const live = state.liveIds.get(guid);
  return live === undefined ? guid : live;
}

/** A deep link names a chat by its peer's address, or by one of a group's ids (d.4, d.10). */
function bringIn(world: World, state: State, url: string): void {
  const opened = [...state.liveIds.keys()].filter((guid) => {
    const row = world.db.one('SELECT chat_identifier, group_id FROM chat WHERE guid = ?', guid);
    return [row?.['chat_identifier'], row?.['group_id']].some((id) => typeof id === 'string' && url.includes(id));
  });
  state.liveIds = new Map([...state.liveIds].filter(([guid]) => !opened.includes(guid)));
}

type Target =
  | { readonly ok: true; readonly chat: ChatRow; readonly isUnreachable: boolean }
  | { readonly ok: true; readonly chat: null; readonly ghost: string };

function resolveTarget(world: World, state: State, { target }: AppleEvent): Target | (AppleAnswer & { ok: false }) {
  if (target === null) return refusal(NOT_FOUND, 'Can’t get the target.');
  if (target.form === 'chat') {
    const chat = liveChat(world, state, target.guid);
    if (chat !== null) return { ok: true, chat, isUnreachable: false };
    // d.4: from 26 on a group under the GUID of a direct chat is taken, and what is sent to it goes nowhere.
    const [, identifier = ''] = target.guid.split('any;-;');
    const isGroup = world.db.chat(`any;+;${identifier}`) !== null;
    if (world.db.generation === 'golden' && isGroup) return { ok: true, chat: null, ghost: identifier };
    return refusal(NOT_FOUND, `Messages got an error: Can’t get chat id "${target.guid}".`);
  }
  const account = state.accounts.find(({ id }) => id === target.account);
  if (account === undefined) {
    return refusal(NOT_FOUND, `Messages got an error: Can’t get account id "${target.account}".`);
  }
  // d.4: whatever is no address becomes a chat of its own all the same, and nobody is reached.
  const isUnreachable = !/^\+\d+$|@/.test(target.handle);
  return { ok: true, chat: world.db.directChat(target.handle, account.service), isUnreachable };
}

/** What the send phase answers; null: nothing, ever. */
function send(
  world: World,
  state: State,
  { event, outcome, target }: { readonly event: AppleEvent; readonly outcome: Outcome; readonly target: Target },
): AppleAnswer | null {
  const done: AppleAnswer = { ok: true, output: '' };
  if (target.chat === null || outcome.does === 'ghost') {
    const identifier = target.chat === null ? target.ghost : target.chat.identifier;
    world.schedule.after(state.timings.rowMs, () => insertGhost(world, identifier));
    return done;
  }
  if (outcome.does === 'nothing') return done;
  if (outcome.does === 'bound' && [...(event.text ?? '')].length > outcome.characters) {
    return { ok: false, phase: 'send', error: outcome.error, message: 'Messages got an error: the text is too long.' };
  }
  const posting: Posting = { chat: target.chat, timings: state.timings, got: state.got };
  const fails = failureOf(outcome, target.isUnreachable);
  if ((outcome.does !== 'break' && outcome.does !== 'hang') || outcome.writesRow) {
    const fail = (guid: string): void => {
      if (fails !== null) world.schedule.after(fails.afterMs, () => void markFailed(world, guid, fails.error));
    };
    const how = { ...posting, isRefused: fails !== null, onRow: fail };
    if (event.path !== null)
      postFile(world, how, { ...event, path: event.path, isPlaceholder: outcome.does === 'placeholder' });
    else postText(world, how, { text: event.text ?? '', splits: outcome.does === 'split' });
  }
  if (outcome.does === 'hang') return null;
  if (outcome.does === 'break') {
    return { ok: false, phase: 'send', error: outcome.error, message: 'Messages got an error: it broke off.' };
  }
  return done;
}

function failureOf(
  outcome: Outcome,
  isUnreachable: boolean,
): { readonly error: number; readonly afterMs: number } | null {
  if (outcome.does === 'fail') return outcome;
  return isUnreachable ? { error: UNREACHABLE, afterMs: 1 } : null;
}

function refusal(error: number, message: string): AppleAnswer & { readonly ok: false } {
  return { ok: false, phase: 'resolve', error, message };
}
