/** Scripts of the shapes in d.2, for the tests of the fake Mac itself; a sender has its own. */

/** The shapes that a sender uses: two phases, and data in the arguments alone. */
const resolving = (setTarget: string, send: string): string => `on run argv
  with timeout of 2 seconds
    tell application "Messages"
      try
        ${setTarget}
      on error m number n
        error "RESOLVE " & n & ": " & m number 9001
      end try
      send ${send} to theTarget
    end tell
  end timeout
end run`;
const BY_CHAT = 'set theTarget to chat id (item 1 of argv)\n        get id of theTarget';
const BY_PARTICIPANT = 'set theTarget to participant (item 2 of argv) of (first account whose id is (item 1 of argv))';
export const TEXT_BY_CHAT = resolving(BY_CHAT, '(item 2 of argv)');
export const TEXT_BY_PARTICIPANT = resolving(BY_PARTICIPANT, '(item 3 of argv)');
const withFile = (script: string, item: number): string =>
  script
    .replace('with timeout', `set theFile to (POSIX file (item ${item} of argv)) as alias\n  with timeout`)
    .replace(/send \(item \d of argv\)/, 'send theFile');
export const FILE_BY_CHAT = withFile(TEXT_BY_CHAT, 2);
export const PROBE = `on run argv
  tell application "Messages"
    return {count of (every chat whose id is (item 1 of argv)), id of every account}
  end tell
end run`;
export const ACCOUNTS = `on run argv
  tell application "Messages"
    set theLines to {}
    repeat with a in every account
      set end of theLines to (id of a) & tab & (service type of a) & tab & (enabled of a) & tab & (connection status of a)
    end repeat
  end tell
end run`;
export const CHATS = `on run argv
  tell application "Messages" to return id of every chat
end run`;
