/**
 * What Messages is told, as fixed AppleScript: no script ever holds data, which come as arguments alone.
 *
 * A script that sends has two phases. What fails while it looks for the target or the file is raised again under a number
 * of our own, which proves that nothing was sent. An error of `send` itself proves nothing.
 */

/** The number under which a failed look-up is raised again. */
export const RESOLVE_ERROR = 9001;

/** A script's own limits; whoever runs it waits a little longer. Seconds. */
export const TEXT_TIMEOUT_S = 60;
export const FILE_TIMEOUT_S = 120;
export const PROBE_TIMEOUT_S = 20;

/** Item 1: the GUID of a chat; item 2: the text. Asking for the chat's id forces the look-up. */
export const TEXT_TO_CHAT = inTwoPhases({
  timeoutS: TEXT_TIMEOUT_S,
  findContent: 'set theContent to item 2 of argv',
  findTarget: ['set theTarget to chat id (item 1 of argv)', 'get id of theTarget'],
});

/** Item 1: the GUID of a chat; item 2: the path of a file. */
export const FILE_TO_CHAT = inTwoPhases({
  timeoutS: FILE_TIMEOUT_S,
  findContent: 'set theContent to (POSIX file (item 2 of argv)) as alias',
  findTarget: ['set theTarget to chat id (item 1 of argv)', 'get id of theTarget'],
});

/**
 * Item 1: the id of an account; item 2: a handle; item 3: the text. Only the account is looked up beforehand: somebody
 * who was never written to is no participant yet.
 */
export const TEXT_TO_PARTICIPANT = inTwoPhases({
  timeoutS: TEXT_TIMEOUT_S,
  findContent: 'set theContent to item 3 of argv',
  findTarget: [
    'set theAccount to first account whose id is (item 1 of argv)',
    'get id of theAccount',
    'set theTarget to participant (item 2 of argv) of theAccount',
  ],
});

/** Item 1: the id of an account; item 2: a handle; item 3: the path of a file. */
export const FILE_TO_PARTICIPANT = inTwoPhases({
  timeoutS: FILE_TIMEOUT_S,
  findContent: 'set theContent to (POSIX file (item 3 of argv)) as alias',
  findTarget: [
    'set theAccount to first account whose id is (item 1 of argv)',
    'get id of theAccount',
    'set theTarget to participant (item 2 of argv) of theAccount',
  ],
});

/** Prints the ids of the chats that Messages knows at present, a line for each. */
export const LIST_CHATS = `on run argv
  with timeout of ${PROBE_TIMEOUT_S} seconds
    tell application "Messages"
      set theIds to id of every chat
    end tell
  end timeout
  set text item delimiters to linefeed
  return theIds as text
end run
`;

/** Prints a line for each account: id, service, whether it is enabled, and its connection, with tabs between them. */
export const LIST_ACCOUNTS = `on run argv
  set theLines to {}
  with timeout of ${PROBE_TIMEOUT_S} seconds
    tell application "Messages"
      repeat with theAccount in every account
        set theId to id of theAccount
        set theService to (service type of theAccount) as text
        set isEnabled to (enabled of theAccount) as text
        set theStatus to (connection status of theAccount) as text
        set end of theLines to theId & tab & theService & tab & isEnabled & tab & theStatus
      end repeat
    end tell
  end timeout
  set text item delimiters to linefeed
  return theLines as text
end run
`;

function inTwoPhases({
  timeoutS,
  findContent,
  findTarget,
}: {
  readonly timeoutS: number;
  readonly findContent: string;
  readonly findTarget: readonly string[];
}): string {
  return `on run argv
  with timeout of ${timeoutS} seconds
    try
      ${findContent}
      tell application "Messages"
        ${findTarget.join('\n        ')}
      end tell
    on error theMessage number theNumber
      error "RESOLVE " & theNumber & ": " & theMessage number ${RESOLVE_ERROR}
    end try
    tell application "Messages" to send theContent to theTarget
  end timeout
end run
`;
}
