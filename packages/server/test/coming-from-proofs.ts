/** Which tests hold the points of the guides for those who come from elsewhere: by the point's title, in its order. */

/** A test: its file below `packages/`, and its name there. */
type Proof = readonly [file: string, title: string];
export type Proofs = Readonly<Record<string, readonly Proof[]>>;

const CLIENT = 'server/test/sendblue.test.ts';
const BOTH = 'server/test/sendblue-and-v1.test.ts';
const LISTS = 'server/test/sendblue-lists.test.ts';
const AROUND = 'server/test/sendblue-around.test.ts';
const MEDIA = 'server/test/sendblue-media.test.ts';
const UPLOADS = 'server/test/sendblue-uploads.test.ts';
const HOOKS = 'server/test/sendblue-webhooks.test.ts';
const REPEATS = 'server/test/sendblue-repeats.test.ts';
const BOT = 'server/test/sendblue-bot.test.ts';
const FROM_SENDBLUE = 'server/test/coming-from-sendblue.test.ts';
const OPT_OUTS = 'server/test/opt-outs.test.ts';
const RETRIES = 'server/test/webhook-retries.test.ts';
const CLI_WEBHOOKS = 'cli/test/webhooks.test.ts';
const CLI_ADMINISTRATION = 'cli/test/administration.test.ts';

const SENDBLUE: Proofs = {
  Sending: [[CLIENT, 'sends a message, which is queued, then delivered, under one handle']],
  Following: [
    [CLIENT, 'sends a message, which is queued, then delivered, under one handle'],
    [HOOKS, 'are told of every status of what goes out, and a callback of its own alone'],
    [HOOKS, 'are told of what failed, with the reason'],
  ],
  Listing: [
    [LISTS, 'give by each filter alone what has that value, and nothing else'],
    [LISTS, 'give what a plain filter leaves, whatever is asked for'],
  ],
  Retrieving: [
    [LISTS, 'have handles by which each item is found, in either case'],
    [LISTS, "find a message by the line's GUID too, and of one with attachments the first"],
  ],
  Errors: [[CLIENT, 'gives its own errors']],
  Repeats: [[REPEATS, 'after a time-out while the first is at %s']],
  Media: [
    [MEDIA, 'is fetched and sent after the answer, which says QUEUED'],
    [MEDIA, 'of sound, alone, goes as a voice memo, and of a contact as a card'],
  ],
  'Send styles': [[FROM_SENDBLUE, 'has all thirteen send styles, and none on a line without']],
  Replies: [[CLIENT, 'is a reply, by a handle of either side']],
  Groups: [[AROUND, 'sends to a group that is there, and makes none']],
  'Typing, read marks and reactions': [
    [AROUND, 'types, and ceases to'],
    [AROUND, 'marks a chat as read'],
    [AROUND, 'reacts to what came in and to what it sent, by the handle or by the GUID'],
  ],
  'Account webhooks': [
    [HOOKS, 'are given back as they were given'],
    [HOOKS, 'are told of what comes in, with the secret as it is'],
  ],
  Uploads: [
    [UPLOADS, 'is taken, and its media_url sends it'],
    [UPLOADS, 'is fetched from its URL by the client, and its address sends it'],
    [MEDIA, 'that is a link to a file of the account is that file, which is not fetched'],
  ],
  'Opting out': [
    [AROUND, 'opts a contact out, who is refused then, and in again'],
    [OPT_OUTS, 'is sent no message, whether by its handle or its chat, and is again once it has opted in'],
    [OPT_OUTS, 'are only words while the line’s setting is off, as it is at first'],
  ],
  'Chat SDK': [
    [BOT, 'hears what a phone writes, marks it as read, and answers'],
    [BOT, 'reads its history, the oldest first, page by page'],
    [BOT, 'types, and reacts to what it heard'],
    [BOT, 'is in a group as well'],
  ],
  'Handles are ours': [
    [CLIENT, 'sends a message, which is queued, then delivered, under one handle'],
    [BOTH, 'show a group and its messages'],
  ],
  'No number is bought': [[FROM_SENDBLUE, 'sends from lines of the account that the key may use']],
  'Contacts come first': [
    [FROM_SENDBLUE, 'writes to nobody first, until the settings of the line say otherwise'],
    [CLI_ADMINISTRATION, 'are added, changed, removed and brought back'],
  ],
  Statuses: [
    [LISTS, 'give by each filter alone what has that value, and nothing else'],
    [LISTS, "give nothing for what is not there or is not the caller's"],
  ],
  Totals: [[LISTS, 'are the same by whichever index they are read, few or many']],
  'Several attachments': [
    [BOTH, 'show each attachment of one message as an item of its own'],
    [BOT, 'hears of each attachment, and fetches it'],
  ],
  'Links to files': [
    [BOT, 'hears of each attachment, and fetches it'],
    [
      'server/test/file-links.test.ts',
      'of an answer is good for 30 days and no longer, and that of a redirect for an hour',
    ],
  ],
  Lookups: [[AROUND, 'tells the service that a number was seen on, and for one never seen what the lines send by']],
  'How long typing lasts': [[FROM_SENDBLUE, 'lasts a minute all the same']],
  'Media of your own network': [
    [FROM_SENDBLUE, 'where TRUNKLINE_SINK_NETWORKS is %s is taken: %s'],
    [MEDIA, 'that is %s is refused at once'],
  ],
  'Callbacks carry an id': [
    [
      'server/test/account-webhooks.test.ts',
      'is tried again after 500, also by the next process, with the same body under the same id',
    ],
    ['server/test/callbacks.test.ts', 'is tried again after 500, also by the next process, at the same address'],
  ],
  'Failed posts': [
    [RETRIES, 'follow the schedule to the twelfth attempt, each signed anew under the same id, and then it has failed'],
    [CLI_WEBHOOKS, 'are listed, shown with each attempt, and sent again'],
    [CLI_WEBHOOKS, 'of an account and of callbacks are listed and shown as well, each with its address'],
  ],
};

const CONTRACT = 'server/test/contract.test.ts';
const FROM_MESSAGES_DEV = 'server/test/coming-from-messages-dev.test.ts';
const IDS = 'server/test/ids.test.ts';
const SIGNED = 'sdk/test/webhooks.test.ts';
const STREAM = 'server/test/stream-resume.test.ts';
const SIMULATOR = 'server/test/simulator-http.test.ts';

const MESSAGES_DEV: Proofs = {
  'Every endpoint': [
    [CONTRACT, '$row'],
    [CONTRACT, 'POST /v1/files'],
    [CONTRACT, 'DELETE /v1/sandbox'],
  ],
  'Every error': [
    [CONTRACT, '%s: %s, %i, %s'],
    [CONTRACT, 'is in this table, or it is said where else it is tested'],
  ],
  Ids: [
    [FROM_MESSAGES_DEV, 'the prefixes of ids that the guide names are those that are made'],
    [IDS, 'sorts by the time at which it was made'],
  ],
  Pages: [['server/test/paging.test.ts', 'give each message of a chat once, newest first, while more arrive']],
  Webhooks: [
    [SIGNED, 'has the four headers, and is signed as any HMAC would'],
    ['sdk/test/client.test.ts', 'is verified from the request that it came with, in its order, as the stream shows it'],
  ],
  Files: [
    ['server/test/files.test.ts', 'come back byte for byte, under a link that needs no key'],
    [
      'server/test/file-links.test.ts',
      'is what GET /v1/files sends its client to, with 302 and an absolute address, good for an hour',
    ],
  ],
  'The sandbox': [
    ['server/test/sandbox.test.ts', 'pairs by the code in any case and among spaces, once'],
    [
      'server/test/sandbox-sends.test.ts',
      'accepts exactly fifty of sixty messages that come at once, with all keys of the account',
    ],
  ],
  'Contact-first': [[FROM_MESSAGES_DEV, 'who has not written first is refused by the code that the guide names']],
  'Keys and lines are yours': [
    [CLI_ADMINISTRATION, 'are made with what was asked for, and shown once'],
    [CLI_ADMINISTRATION, 'are added, changed, removed and brought back'],
  ],
  'Rate limits': [
    ['server/test/config.test.ts', 'has a default for every setting'],
    ['server/test/admin-keys.test.ts', 'may spend what the installation says, where nothing else is said'],
  ],
  'Contact-first is a setting': [
    [
      'server/test/admin-lines.test.ts',
      'lets a stranger be written to as soon as contact-first is off, and no longer once it is on',
    ],
    [CLI_ADMINISTRATION, 'are added, changed, removed and brought back'],
  ],
  'Repeats are safe': [
    [
      'server/test/idempotency.test.ts',
      '42: after a restart the repeat gets the first answer, and the phone one message',
    ],
    [
      'server/test/idempotency.test.ts',
      'is given again to the same bytes within a minute, once the connection was seen to close',
    ],
  ],
  'More events': [
    [FROM_MESSAGES_DEV, 'the further events that the guide names are those that a webhook may have beside theirs'],
    [FROM_MESSAGES_DEV, 'a webhook takes each of them'],
  ],
  'A stream': [
    [STREAM, 'is whole for a reader that is cut off again and again (seed %i)'],
    ['server/test/stream.test.ts', "is never another account's, nor another line's than the key may use"],
  ],
  'Standard Webhooks': [[SIGNED, 'is what the verifier of Standard Webhooks takes, and it makes what ours takes']],
  'Send styles': [
    ['server/test/effects.test.ts', 'can be each of the thirteen, and none'],
    ['server/test/effects.test.ts', 'is left out on an SMS line, in both directions'],
  ],
  'Opting out': [
    [OPT_OUTS, 'is sent no message, whether by its handle or its chat, and is again once it has opted in'],
  ],
  'Phones without a phone': [
    [SIMULATOR, 'is answered once the next /v1 call sees the message, from a phone that nobody knew'],
    [SIMULATOR, 'shows what the phone sees, oldest first, with every key'],
  ],
};

/** By the name of the guide's file. */
export const GUIDES = { 'coming-from-sendblue': SENDBLUE, 'coming-from-messages-dev': MESSAGES_DEV };
