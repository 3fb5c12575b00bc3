/** Clients that go on whatever happens to the server, and remember what was acknowledged to them. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, LINE, post } from './client.ts';
import { SEND_BY_URL } from './send-by-url.ts';
import { until } from './until.ts';

const SENDERS = 16;
const TEXTERS = 4;
/** One request in so many is a reaction, one typing, one a receipt, one a message with a file, one with a file's URL. */
const DEEDS_EVERY = 16;
/** One send in so many goes to the phone that no message reaches. */
const REFUSED_EVERY = 40;
const NOT_IMESSAGE = '+15550100400';
const PAUSE_WITHOUT_SERVER_MS = 10;
const PROGRESS_WITHIN_MS = 30_000;
const OVERLOADED = 503;

export interface LoadOptions {
  /** The addresses of the processes that run just now. */
  readonly addresses: () => readonly string[];
  /** Who may be written to: handles and chats. */
  readonly recipients: readonly string[];
  /** Who writes to the line. */
  readonly phones: readonly string[];
  /** Each client pauses this long after an answer. */
  readonly pauseMs: number;
  /** Asked for what a line does besides texting, where it is to do that. */
  readonly deeds?: () => Deeds;
  /** The outside tests' own, unless said. */
  readonly key?: string;
}

/** A file that is to go out, one that is fetched first, and messages of phones that are to be reacted to. */
export interface Deeds {
  readonly file: string;
  readonly url: string;
  readonly messages: readonly { readonly guid: string; readonly from: string }[];
}

export interface Load {
  /** The sends that were answered with 201: the item's id, and to whom it goes. */
  readonly accepted: ReadonlyMap<string, string>;
  /** The GUIDs of the texts that were answered with 201. */
  readonly heard: ReadonlySet<string>;
  /** Answers that no client of a healthy server gets. */
  readonly surprises: readonly string[];
  start(): void;
  /** Resolves when a send and a text were accepted from now on; rejects when none are for half a minute. */
  progress(): Promise<void>;
  /** Resolves when the last answer is in. */
  stop(): Promise<void>;
}

export function isRefused(recipient: string): boolean {
  return recipient === NOT_IMESSAGE;
}

export function createLoad(options: LoadOptions): Load {
  const accepted = new Map<string, string>();
  const heard = new Set<string>();
  const surprises: string[] = [];
  let isOn = false;
  let clients: Promise<void>[] = [];
  let count = 0;

  async function send(address: string): Promise<void> {
    const isDoomed = ++count % REFUSED_EVERY === 0;
    const { path, ...body } = (isDoomed ? null : deed()) ?? {
      path: '/v1/messages',
      to: isDoomed ? NOT_IMESSAGE : anyOf(options.recipients),
      text: `Message ${count}`,
    };
    const answer = await post(address, path, { from: LINE, ...body }, options.key);
    if (answer.status === 201) accepted.set(String(answer.body['id']), body.to);
    else note(answer);
  }

  function deed(): ({ readonly path: string; readonly to: string } & Readonly<Record<string, unknown>>) | null {
    const deeds = options.deeds?.();
    if (!deeds) return null;
    const { file, url, messages } = deeds;
    const message = anyOf(messages);
    const to = anyOf(options.recipients);
    switch (count % DEEDS_EVERY) {
      case 1:
        return { path: '/v1/reactions', to: message.from, message_id: message.guid, type: 'love' };
      case 2:
        return { path: '/v1/typing', to, state: anyOf(['on', 'off']) };
      case 3:
        return { path: '/v1/receipts', to };
      case 4:
        return { path: '/v1/messages', to, text: `Message ${count}`, attachments: [file] };
      case 5:
        return { path: SEND_BY_URL, to, url, id: `obx_${randomUUID()}` };
      default:
        return null;
    }
  }

  async function text(address: string): Promise<void> {
    const from = anyOf(options.phones);
    const answer = await post(
      address,
      '/simulator/v1/messages',
      { from, to: LINE, text: `Text ${++count}` },
      options.key,
    );
    if (answer.status === 201) heard.add(String(answer.body['guid']));
    else note(answer);
  }

  function note({ status, body }: Answer): void {
    if (status !== OVERLOADED) surprises.push(`${status} ${JSON.stringify(body)}`);
  }

  async function client(act: (address: string) => Promise<void>): Promise<void> {
    while (isOn) {
      const addresses = options.addresses();
      // Nobody answers: the process was killed or frozen, and nothing was acknowledged.
      const hasAnswer = addresses.length > 0 && (await act(anyOf(addresses)).then(always, never));
      await sleep(hasAnswer ? options.pauseMs * (0.5 + Math.random()) : PAUSE_WITHOUT_SERVER_MS);
    }
  }

  return {
    accepted,
    heard,
    surprises,
    start() {
      if (isOn) return;
      isOn = true;
      const acts = [...Array.from({ length: SENDERS }, () => send), ...Array.from({ length: TEXTERS }, () => text)];
      clients = acts.map(client);
    },
    async progress() {
      const before = { accepted: accepted.size, heard: heard.size };
      const isMore = () => accepted.size > before.accepted && heard.size > before.heard;
      await until(isMore, PROGRESS_WITHIN_MS, 'a send and a text that are accepted');
    },
    async stop() {
      isOn = false;
      await Promise.all(clients);
    },
  };
}

const always = (): boolean => true;
const never = (): boolean => false;

function anyOf<T>(list: readonly T[]): T {
  const one = list[Math.floor(Math.random() * list.length)];
  if (one === undefined) throw new Error('There is none to choose from.');
  return one;
}
