/** A Mac for the checks: the fake one's programs, and what else there is on a good Mac. */
import { execPath } from 'node:process';
import { DOCTOR_FILES, type DoctorFiles, type DoctorMac } from '../src/macos/doctor/doctor-mac.ts';
import { type ProgramRun, type RunProgram, runProgram } from '../src/macos/doctor/run-program.ts';
import type { FakeMac } from './fake-mac/mac.ts';
import { PROGRAM_NAMES } from './fake-mac/program.ts';

const NODE = '/usr/local/bin/node';

/** By command line. */
export type Told = Readonly<Record<string, Partial<ProgramRun>>>;

const GOOD: Told = {
  '/usr/bin/codesign --display --verbose=2 /usr/local/bin/node': {
    stderr: 'Executable=/usr/local/bin/node\nAuthority=Developer ID Application: Node.js Foundation\n',
  },
  '/usr/bin/pmset -g': { stdout: ' standby   0\n sleep                0 (sleep prevented by powerd)\n disksleep 0\n' },
};

/** What the processes of the fake Mac would say, at once. */
export const SAID_AT_ONCE: Told = {
  '/usr/bin/sw_vers': { stdout: 'ProductVersion:\t15.7.3\nBuildVersion:\t24G419\n' },
  '/usr/bin/csrutil': { stdout: 'System Integrity Protection status: enabled.\n' },
  '/bin/launchctl managername': { stdout: 'Aqua\n' },
  '/usr/bin/pgrep': { code: 1 },
  '/usr/bin/pgrep -x -U 501 Messages': { stdout: '812\n' },
  '/usr/bin/osascript': { stdout: 'ID\tiMessage\ttrue\tconnected\n' },
};

export interface DoctorStage {
  readonly told?: Told;
  readonly files?: Partial<DoctorFiles>;
  readonly mac?: Partial<DoctorMac>;
}

export function doctorMac(fake: FakeMac, { told = {}, files = {}, mac = {} }: DoctorStage = {}): DoctorMac {
  return {
    platform: 'darwin',
    home: fake.home,
    stateFolder: `${fake.folder}/state`,
    uid: 501,
    node: NODE,
    isAgent: true,
    clockOffsetMs: 12,
    run: runOn(fake, { ...GOOD, ...told }),
    files: {
      ...DOCTOR_FILES,
      realPath: (path) => Promise.resolve(path),
      freeBytes: () => Promise.resolve(2 ** 40),
      ...files,
    },
    ...mac,
  };
}

/** A program that has an answer here gives it; the others are processes. */
function runOn(fake: FakeMac, told: Told): RunProgram {
  return (command, args, limits) => {
    const answer = told[[command, ...args].join(' ')] ?? told[command];
    if (answer !== undefined) return Promise.resolve({ end: 'exited', code: 0, stdout: '', stderr: '', ...answer });
    const [program = execPath, ...words] = commandOf(fake, command);
    return runProgram(program, [...words, ...args], limits);
  };
}

function commandOf(fake: FakeMac, command: string): readonly string[] {
  if (command === '/usr/bin/osascript') return fake.osascript;
  const place = { launchctl: '/bin/launchctl' };
  const name = PROGRAM_NAMES.find((one) => command === (one === 'launchctl' ? place[one] : `/usr/bin/${one}`));
  if (name === undefined) throw new Error(`The fake Mac has no ${command}.`);
  return fake.program(name);
}

/** What the system says of a file that may not be opened. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: not permitted`), { code });
}
