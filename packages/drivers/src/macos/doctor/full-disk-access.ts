/** Full Disk Access: to whom it has to be given, and where. */
import type { DoctorMac } from './doctor-mac.ts';

const PANE = 'System Settings > Privacy & Security > Full Disk Access';

/** launchd's own children answer for themselves; what runs in a terminal is judged as the terminal's program. */
export function grantFullDiskAccess({ isAgent, node }: DoctorMac): string {
  const whom = isAgent
    ? `press +, then Cmd-Shift-G, and add ${node}`
    : 'switch on the program of this terminal (over SSH: sshd-keygen-wrapper), which has grants of its own';
  return `In ${PANE}, ${whom}. Where the switch is on already, take the entry out and add it again: an update of macOS or of the program makes it stale. Then start the program again, for grants are read at its start.`;
}

/** Where System Settings keeps what one program may tell another to do. */
export function grantAutomation({ isAgent, node }: DoctorMac): string {
  const whom = isAgent ? `the entry of ${node}` : 'the entry of the program of this terminal';
  return `In System Settings > Privacy & Security > Automation, switch on Messages below ${whom}. Where there is no such entry, run "tccutil reset AppleEvents", run this again, and answer the question that appears on the screen of the Mac.`;
}
