/** Stand-ins for the small programs of macOS: `node program.ts FOLDER GENERATION NAME ARG...` (h.3). */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { type Housekeeping, PROGRAMS_BEHAVIOUR, PROGRAMS_LOG, SOCKET } from './apple-event.ts';
import { type Generation, isGeneration } from './generations.ts';

export const PROGRAM_NAMES = ['open', 'sw_vers', 'csrutil', 'launchctl', 'pgrep'] as const;
export type ProgramName = (typeof PROGRAM_NAMES)[number];

export interface ProgramOutcome {
  readonly code?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** By name, and more closely by name and first argument: `launchctl print`. Without it a program does as on a good Mac. */
export type ProgramBehaviour = Readonly<Record<string, ProgramOutcome>>;

export interface ProgramCall {
  readonly name: ProgramName;
  readonly argv: readonly string[];
  /** Unix milliseconds. */
  readonly at: number;
}

const VERSIONS: Readonly<Record<Generation, readonly [version: string, build: string]>> = {
  ventura: ['13.7.8', '22H730'],
  sequoia: ['15.7.3', '24G419'],
  golden: ['27.0', '26A345'],
};

if (import.meta.main) await main(process.argv.slice(2));

async function main([folder = '.', generation, name, ...argv]: readonly string[]): Promise<void> {
  if (!isGeneration(generation) || !isProgram(name)) throw new Error('node program.ts FOLDER GENERATION NAME ARG...');
  const call: ProgramCall = { name, argv, at: Date.now() };
  appendFileSync(join(folder, PROGRAMS_LOG), `${JSON.stringify(call)}\n`);
  const {
    code = 0,
    stdout = '',
    stderr = '',
  } = toldOutcome(folder, name, argv) ?? (await act(folder, generation, call));
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code;
}

function isProgram(name: string | undefined): name is ProgramName {
  return PROGRAM_NAMES.some((one) => one === name);
}

function toldOutcome(folder: string, name: ProgramName, argv: readonly string[]): ProgramOutcome | undefined {
  const path = join(folder, PROGRAMS_BEHAVIOUR);
  if (!existsSync(path)) return undefined;
  const behaviour: ProgramBehaviour = JSON.parse(readFileSync(path, 'utf8'));
  return behaviour[`${name} ${argv[0] ?? ''}`] ?? behaviour[name];
}

async function act(folder: string, generation: Generation, { name, argv }: ProgramCall): Promise<ProgramOutcome> {
  const [version, build] = VERSIONS[generation];
  if (name === 'csrutil') return { stdout: 'System Integrity Protection status: enabled.\n' };
  if (name === 'launchctl') return argv[0] === 'managername' ? { stdout: 'Aqua\n' } : {};
  if (name === 'sw_vers') {
    if (argv[0] === '-productVersion' || argv[0] === '--productVersion') return { stdout: `${version}\n` };
    return { stdout: `ProductName:\t\tmacOS\nProductVersion:\t\t${version}\nBuildVersion:\t\t${build}\n` };
  }
  if (name === 'open') {
    const url = argv.find((one) => /^(?:sms|imessage):/.test(one)) ?? null;
    const isMessages = url !== null || argv.some((one) => one === 'com.apple.MobileSMS' || one === 'Messages');
    if (isMessages) await askMessages(folder, { what: 'open', url });
    return {};
  }
  if (argv.at(-1) !== 'Messages') return { code: 1 };
  const { pid } = await askMessages(folder, { what: 'pid' });
  return pid === null ? { code: 1 } : { stdout: `${pid}\n` };
}

async function askMessages(folder: string, asked: Housekeeping): Promise<{ readonly pid: number | null }> {
  const socket = connect(join(folder, SOCKET));
  socket.on('connect', () => socket.write(`${JSON.stringify(asked)}\n`));
  return readAll(socket).then(
    (line) => JSON.parse(line),
    // Without its daemons nothing of Messages runs.
    () => ({ pid: null }),
  );
}
