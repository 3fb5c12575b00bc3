/** What the document says in words: how to call the API at all, and what each group of operations is for. */
import { ERRORS, type ErrorCode } from '../../domain/errors.ts';
import { REFUSALS_OF_ANY_REQUEST } from '../refusals.ts';

const SUMMARY = 'Send and receive iMessages over lines that you host yourself.';

const API_VERSION = 'v1';

export interface Chapter {
  readonly title: string;
  readonly text: string;
}

const CHAPTERS: readonly Chapter[] = [
  {
    title: 'Authentication',
    text: 'Send your key with every request, as `Authorization: Bearer sk_live_...`. A key has scopes, and each operation names the one that it needs. A key may be limited to some lines; what belongs to another account is answered like what does not exist.',
  },
  {
    title: 'Conventions',
    text: [
      '- JSON in UTF-8 with `snake_case` names. Times are Unix milliseconds in UTC.',
      '- Every key of a resource is always there, null where it has no value. Fields that a request has too many are ignored.',
      '- Every answer has a `request_id`, also in the header `X-Request-Id`. Quote it when you ask for help.',
      '- Ids begin with what they name (`msg_`, `cht_`, `ln_`, `obx_`, `wh_`), sort by time, and are opaque otherwise.',
      '- A handle is a phone number in E.164 or an e-mail. Where a line is asked for, its `ln_` id does as well.',
    ].join('\n'),
  },
  {
    title: 'Lists',
    text: 'A list is `{data, has_more, next_cursor, request_id}`. While `has_more` is true, give `next_cursor` back as `cursor`. What arrives meanwhile is neither skipped nor repeated. Lists without a `cursor` come whole.',
  },
  {
    title: 'Writes that take their time',
    text: 'A send answers 201 with an outbox item once it is on disk. It is handed over in the order of its line. Follow it by the event `message.sent`, or by `GET /v1/outbox`: from `pending` over `claimed` to `sent`, or to `failed` with a sentence in `error`.',
  },
  {
    title: 'Repeating a request',
    text: 'Give every POST an `Idempotency-Key` of up to 255 characters, and repeat it as often as you must: for 24 hours the same request gets the first answer again, with `Idempotent-Replayed: true`, and is done once. The same key with another request is refused. Only a 2xx is kept.',
  },
  {
    title: 'Rate limits',
    text: 'A key has so many requests an hour, which may be spent at once. Every answer says what is left: `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`. After a 429 or a 503 wait the seconds of `Retry-After`.',
  },
  {
    title: 'Errors',
    text: [
      'A refusal is `{error: {type, code, message, param?}, request_id}`. `param` names the field that is to blame, and is left out where there is none. Each operation lists its codes. Any request may get these:',
      '',
      ...REFUSALS_OF_ANY_REQUEST.map((code: ErrorCode) => `- \`${code}\`: ${ERRORS[code].message}`),
    ].join('\n'),
  },
];

/** What a document says of itself. */
export interface About {
  readonly title: string;
  readonly version: string;
  readonly summary: string;
  readonly description: string;
  /** Whether it has the events, and the refusals in the envelope of `/v1`. */
  readonly isWhole: boolean;
}

export function aboutApi(): About {
  return {
    title: 'Trunkline',
    version: API_VERSION,
    summary: SUMMARY,
    description: describe(SUMMARY, CHAPTERS),
    isWhole: true,
  };
}

/** In the Markdown of the document: a heading and its text for each chapter. */
export function describe(summary: string, chapters: readonly Chapter[]): string {
  return [summary, ...chapters.map(({ title, text }) => `## ${title}\n\n${text}`)].join('\n\n');
}

/** The groups of operations, in the order in which a reader needs them. */
export const TAGS: Readonly<Record<string, string>> = {
  Messages: 'Where a send enters the server, and where messages are read.',
  Chats: 'Conversations on a line, with one peer or with a group.',
  Lines: 'The handles through which messages leave and arrive.',
  Outbox: 'What became of everything that was accepted to be sent.',
  Webhooks: "Receivers of a line's events. What they are sent stands under Events.",
  Events: 'What happens, as it happens: posted to webhooks, and streamed.',
  'Audio messages': 'Voice memos, made of uploaded files.',
  Reactions: 'Tapbacks on messages.',
  Typing: 'Who is typing.',
  Receipts: 'How far chats have been read.',
  Files: 'Files to be sent, and those that came.',
  Sandbox: 'The pairing of a phone with the line that all accounts share.',
  Sendblue: 'The API of Sendblue over the same lines, for clients that were written for it.',
  'Admin: keys': "The API keys of the key's own account.",
  'Admin: devices': 'The computers whose agents may dial in for lines of the account.',
  'Admin: lines': 'The lines of the account, and what an operator does with them.',
  'Admin: outbox': 'Where the time of an outbox item went.',
  'Admin: messages': 'Where the time of a message went.',
  'Admin: webhooks': 'The webhooks of the account, as their operator sees them.',
  'Admin: deliveries': 'What was delivered to webhooks, and what was not.',
  Simulator: "The phones' side of simulated lines, for tests.",
};

/** The group of a path: its resource, and for the simulator all of it. */
export function tagOf(path: string): string {
  const [, first = '', second = '', third = ''] = path.split('/');
  if (first === 'simulator') return 'Simulator';
  if (first === 'api') return 'Sendblue';
  return first === 'admin' ? `Admin: ${third}` : wordOf(second);
}

function wordOf(part: string): string {
  return `${part.charAt(0).toUpperCase()}${part.slice(1).replaceAll('-', ' ')}`;
}
