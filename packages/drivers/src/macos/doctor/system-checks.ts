/** What the Mac itself is: its version, its session, its clock, its protection. */
import type { Check } from './doctor-mac.ts';
import { failed, passed, warned } from './finding.ts';
import { faultOf } from './run-program.ts';

const PROGRAM_TIMEOUT_MS = 5_000;
const SW_VERS = '/usr/bin/sw_vers';
const CSRUTIL = '/usr/bin/csrutil';
const LAUNCHCTL = '/bin/launchctl';
/** Ventura is the oldest whose message database is known, 27 the newest. */
const OLDEST_KNOWN = 13;
const NEWEST_KNOWN = 27;
const CLOCK_WARNING_MS = 5_000;
const CLOCK_FAILED_MS = 120_000;
const MS_PER_S = 1_000;

export const checkVersion: Check = async ({ run }) => {
  const ran = await run(SW_VERS, [], { timeoutMs: PROGRAM_TIMEOUT_MS });
  const version = /^ProductVersion:\s*(\S+)/m.exec(ran.stdout)?.[1];
  const build = /^BuildVersion:\s*(\S+)/m.exec(ran.stdout)?.[1] ?? 'unknown build';
  if (version === undefined) {
    return failed(
      'macos',
      faultOf(SW_VERS, ran),
      'Run sw_vers in a terminal: without it this Mac cannot be told apart.',
    );
  }
  const found = `macOS ${version} (${build}).`;
  const major = Number.parseInt(version, 10);
  if (major < OLDEST_KNOWN) {
    return warned('macos', found, `Update macOS: what is known of its messages begins with ${OLDEST_KNOWN}.`);
  }
  if (major > NEWEST_KNOWN) {
    const remedy = `It is newer than ${NEWEST_KNOWN}, the newest that this was written for: send yourself a message and watch it arrive before you rely on it.`;
    return warned('macos', found, remedy);
  }
  return passed('macos', found);
};

/** Without a graphical session there are no Apple events, no questions for consent, and nobody signed in. */
export const checkSession: Check = async ({ run }) => {
  const ran = await run(LAUNCHCTL, ['managername'], { timeoutMs: PROGRAM_TIMEOUT_MS });
  const name = ran.stdout.trim();
  if (ran.code === 0 && name === 'Aqua') return passed('session', 'This runs in a graphical session.');
  const found =
    ran.code === 0 ? `This runs in the session "${name}", which is not graphical.` : faultOf(LAUNCHCTL, ran);
  const remedy =
    'Log in at the screen of the Mac (System Settings > Users & Groups > Automatically log in as), and let launchd start the agent there: trunkline bridge install.';
  return failed('session', found, remedy);
};

export const checkClock: Check = async ({ clockOffsetMs }) => {
  if (clockOffsetMs === null) {
    return passed('clock', 'How far the clock is off is not known: only an agent that is connected can tell.');
  }
  const offset = Math.abs(clockOffsetMs);
  const seconds = (offset / MS_PER_S).toFixed(1);
  const found = `The clock is ${seconds} s ${clockOffsetMs < 0 ? 'behind' : 'ahead of'} the server's.`;
  const remedy =
    'Switch on System Settings > General > Date & Time > Set time and date automatically. If it is on, look at the clock of the server.';
  if (offset >= CLOCK_FAILED_MS) return failed('clock', found, remedy);
  return offset >= CLOCK_WARNING_MS ? warned('clock', found, remedy) : passed('clock', found);
};

/** Told, and no fault either way: nothing here needs it off. */
export const checkIntegrity: Check = async ({ run }) => {
  const ran = await run(CSRUTIL, ['status'], { timeoutMs: PROGRAM_TIMEOUT_MS });
  const status = /status:\s*([^.\n]+)/.exec(ran.stdout)?.[1]?.trim();
  if (status === undefined) return passed('integrity', `${faultOf(CSRUTIL, ran)} It matters little.`);
  return passed('integrity', `System Integrity Protection is ${status}. Nothing here needs it off.`);
};
