/** Messages: whether it runs, may be told what to do, and is signed in. */
import { LIST_ACCOUNTS } from '../send/scripts.ts';
import type { Check, DoctorMac } from './doctor-mac.ts';
import { type Finding, failed, passed, warned } from './finding.ts';
import { grantAutomation } from './full-disk-access.ts';
import { faultOf, type ProgramRun } from './run-program.ts';

const OSASCRIPT = '/usr/bin/osascript';
const PGREP = '/usr/bin/pgrep';
const PGREP_TIMEOUT_MS = 5_000;
/** Long enough for somebody at the screen to answer the question for consent. */
const OSASCRIPT_TIMEOUT_MS = 25_000;
/** pgrep's word for nothing found. */
const NONE_FOUND = 1;
const OPEN_MESSAGES =
  'Open Messages, leave it open, and let it open at login (System Settings > General > Login Items).';
const SIGN_IN = 'Open Messages > Settings > iMessage, sign in, and switch on the number or address of the line.';

/** Nothing but a proof that Messages may be asked. */
const ASK_NAME = `on run argv
  with timeout of 20 seconds
    tell application "Messages" to return name
  end timeout
end run
`;

export const checkMessages: Check = async ({ run, uid }) => {
  // Somebody else's Messages, in a session beside this one, is of no use.
  const ran = await run(PGREP, ['-x', '-U', String(uid), 'Messages'], { timeoutMs: PGREP_TIMEOUT_MS });
  if (ran.code === 0) return passed('messages', 'Messages runs.');
  if (ran.code === NONE_FOUND) return warned('messages', 'Messages does not run.', OPEN_MESSAGES);
  return warned('messages', faultOf(PGREP, ran), OPEN_MESSAGES);
};

export const checkAutomation: Check = async (mac) => {
  const ran = await tell(mac, ASK_NAME);
  if (ran.code === 0) return passed('automation', 'Messages may be told what to send.');
  return explain(mac, 'automation', ran);
};

export const checkAccounts: Check = async (mac) => {
  const ran = await tell(mac, LIST_ACCOUNTS);
  if (ran.code !== 0) return explain(mac, 'accounts', ran);
  const accounts = ran.stdout.split('\n').flatMap((line) => {
    const [id, service, enabled, status] = line.trim().split('\t');
    return id === undefined || service === undefined ? [] : [{ service, isEnabled: enabled === 'true', status }];
  });
  const ofService = (name: string) => accounts.filter((one) => one.service.toLowerCase() === name);
  const iMessage = ofService('imessage');
  const sms = ofService('sms').some((one) => one.isEnabled)
    ? 'SMS is switched on too.'
    : 'SMS is not: a line for it needs Text Message Forwarding on an iPhone.';
  if (iMessage.length === 0) return failed('accounts', `No account of iMessage is signed in. ${sms}`, SIGN_IN);
  const enabled = iMessage.filter((one) => one.isEnabled);
  if (enabled.length === 0) return failed('accounts', `The account of iMessage is switched off. ${sms}`, SIGN_IN);
  if (!enabled.some((one) => one.status === 'connected')) {
    const found = `The account of iMessage is "${enabled[0]?.status ?? 'unknown'}", not connected. ${sms}`;
    return failed('accounts', found, `Look whether the Mac reaches the internet. ${SIGN_IN}`);
  }
  return passed('accounts', `An account of iMessage is signed in and connected. ${sms}`);
};

function tell({ run }: DoctorMac, script: string): Promise<ProgramRun> {
  return run(OSASCRIPT, ['-'], { timeoutMs: OSASCRIPT_TIMEOUT_MS, input: script });
}

/** The words are localised, the number at their end is not. */
function explain(mac: DoctorMac, name: string, ran: ProgramRun): Finding {
  if (ran.end === 'timed_out') {
    const remedy =
      'Look at the screen of the Mac: a question for consent may wait there. If none does, quit Messages (Cmd-Q) and open it again.';
    return failed(name, 'Messages did not answer in time.', remedy);
  }
  if (/default scripting component/.test(ran.stderr)) {
    const remedy = 'Log in at the screen of the Mac, and let launchd start the agent there: trunkline bridge install.';
    return failed(name, 'There is no scripting here, as without a graphical session.', remedy);
  }
  const number = Number(/\((-?\d+)\)\s*$/.exec(ran.stderr.trim())?.[1] ?? Number.NaN);
  switch (number) {
    case -1743:
      return failed(name, 'macOS denies telling Messages what to do (-1743).', grantAutomation(mac));
    case -1744:
      return failed(
        name,
        'Consent to tell Messages what to do is missing, and nobody can be asked for it here (-1744).',
        grantAutomation(mac),
      );
    case -600:
    case -609:
    case -10810:
      return failed(name, `Messages does not run or has just ended (${number}).`, OPEN_MESSAGES);
    case -1712:
      return failed(name, 'Messages hangs (-1712).', 'Quit Messages (Cmd-Q, or force it to quit) and open it again.');
    case -1719:
    case -1728:
      return failed(name, `Messages has no account (${number}).`, SIGN_IN);
    default:
      return failed(name, faultOf(OSASCRIPT, ran), 'Quit Messages and open it again. If this stays, report this line.');
  }
}
