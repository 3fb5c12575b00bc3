/** What the checks ask of Messages, as fixed AppleScript that sends nothing. */

const TIMEOUT_S = 20;

/** Prints the name of Messages: nothing but a proof that it may be asked. */
export const ASK_NAME = `on run argv
  with timeout of ${TIMEOUT_S} seconds
    tell application "Messages" to return name
  end timeout
end run
`;

/** Prints a line for each account: id, service, whether it is enabled, and its connection, with tabs between them. */
export const LIST_ACCOUNTS = `on run argv
  set theLines to {}
  with timeout of ${TIMEOUT_S} seconds
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
