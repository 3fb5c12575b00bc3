/** The programs on the Mac: who else drives Messages, which Node runs this, and what puts the Mac to sleep. */
import { isLockHeld } from './agent-lock.ts';
import type { Check } from './doctor-mac.ts';
import { passed, warned } from './finding.ts';
import { faultOf } from './run-program.ts';

const PGREP = '/usr/bin/pgrep';
const CODESIGN = '/usr/bin/codesign';
const PMSET = '/usr/bin/pmset';
const PROGRAM_TIMEOUT_MS = 5_000;
/** The programs that are known to send through Messages as well. */
const OTHERS = ['BlueBubbles', 'imsg'] as const;
/** Folders whose programs change place or signature when they are upgraded. */
const MOVING =
  /\/(?:opt\/homebrew|usr\/local\/Cellar|usr\/local\/opt|home\/linuxbrew|\.nvm|\.fnm|fnm_multishells|\.volta|\.asdf|mise|\.nodenv)\//;
const FIXED_NODE =
  'Install Node from the package of nodejs.org, which stays at /usr/local/bin/node and is signed, run "trunkline bridge install" again with it, and give that path Full Disk Access.';
const NO_SLEEP = 'sudo pmset -a sleep 0 disksleep 0 displaysleep 10 womp 1 autorestart 1';

/** Two that send on one Mac send twice. */
export const checkOthers: Check = async ({ run, uid, stateFolder, isAgent }) => {
  const running: string[] = [];
  for (const name of OTHERS) {
    const ran = await run(PGREP, ['-x', '-U', String(uid), name], { timeoutMs: PROGRAM_TIMEOUT_MS });
    if (ran.code === 0) running.push(name);
  }
  if (running.length > 0) {
    const remedy = `Quit it, and take it out of the login items: whoever answers the same messages sends twice.`;
    return warned('others', `Beside this, ${running.join(' and ')} runs on this Mac.`, remedy);
  }
  if (!isAgent && isLockHeld(stateFolder)) {
    const found = `An agent that does not answer holds ${stateFolder}.`;
    return warned('others', found, 'Start it again: launchctl kickstart -k gui/$(id -u)/com.trunkline.bridge');
  }
  return passed('others', `No other program that drives Messages was seen (${OTHERS.join(', ')}).`);
};

/** A grant belongs to a path and a signature. Where either changes, it is gone. */
export const checkNode: Check = async ({ run, files, node }) => {
  const path = await files.realPath(node);
  if (MOVING.test(path) || MOVING.test(node)) {
    return warned('node', `This runs on ${path}, which an upgrade replaces: the grants are lost then.`, FIXED_NODE);
  }
  const ran = await run(CODESIGN, ['--display', '--verbose=2', path], { timeoutMs: PROGRAM_TIMEOUT_MS });
  const told = `${ran.stdout}\n${ran.stderr}`;
  const signer = /^Authority=(.+)$/m.exec(told)?.[1];
  if (signer !== undefined) return passed('node', `This runs on ${path}, signed by ${signer}.`);
  const why = /^Signature=adhoc$/m.test(told)
    ? 'whose signature is ad hoc'
    : `whose signature is unknown (${faultOf(CODESIGN, ran)})`;
  return warned('node', `This runs on ${path}, ${why}: the grants may be lost when it is replaced.`, FIXED_NODE);
};

export const checkSleep: Check = async ({ run }) => {
  const ran = await run(PMSET, ['-g'], { timeoutMs: PROGRAM_TIMEOUT_MS });
  const minutes = /^\s*sleep\s+(\d+)/m.exec(ran.stdout)?.[1];
  const remedy = `Run in a terminal: ${NO_SLEEP}`;
  if (minutes === undefined)
    return warned('sleep', `Whether the Mac sleeps is not known: ${faultOf(PMSET, ran)}`, remedy);
  if (Number(minutes) > 0)
    return warned('sleep', `The Mac sleeps after ${minutes} minutes, and then sees no message.`, remedy);
  return passed('sleep', 'The Mac does not sleep.');
};
