/** The commands about an agent, on a Mac that is played: its launchd, its programs, its home folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProgramRun } from '@trunkline/drivers/doctor';
import { Command } from 'commander';
import type { BridgeHost } from '../src/bridge-host.ts';
import { addBridgeManagement } from '../src/commands/bridge-install.ts';
import { LABEL } from '../src/launch-agent.ts';
import { type Terminal, toJsonLine } from '../src/terminal.ts';

const SERVICE = `gui/501/${LABEL}`;

export interface BridgeStage {
  readonly home: string;
  /** What launchd was told, without the questions whether the agent is there. */
  readonly told: string[];
  readonly launchd: Launchd;
  readonly printed: string[];
  run(...words: string[]): Promise<void>;
  remove(): void;
}

interface Launchd {
  isLoaded: boolean;
  /** How often it refuses to start the agent, as it does while the last one ends. */
  refusals: number;
}

export function createBridgeStage(platform: NodeJS.Platform = 'darwin'): BridgeStage {
  const home = mkdtempSync(join(tmpdir(), 'mac & home-'));
  const told: string[] = [];
  const printed: string[] = [];
  const launchd: Launchd = { isLoaded: false, refusals: 0 };
  const host: BridgeHost = {
    platform,
    home,
    uid: 501,
    node: '/usr/local/bin/node',
    command: '/opt/trunkline/bin/trunkline.js',
    run: async (command, args) => {
      if (command === '/usr/bin/sw_vers') return { ...DONE, stdout: 'ProductVersion: 15.7.3\n' };
      if (command !== '/bin/launchctl') throw new Error(`${command} was not expected.`);
      if (args[0] !== 'print') told.push(args.join(' '));
      return obey(launchd, args);
    },
  };
  const surroundings = {
    environment: { HOME: home },
    terminal: createTestTerminal(printed),
    now: () => 0,
    wait: () => Promise.resolve(),
    takeInterrupts: () => undefined,
  };
  return {
    home,
    told,
    launchd,
    printed,
    run: async (...words) => {
      const program = new Command('trunkline')
        .option('--json')
        .exitOverride()
        .configureOutput({ writeErr: () => undefined });
      // As the agent's own command has them.
      const bridge = program.command('bridge').option('--server <url>').option('--state-dir <folder>');
      bridge.exitOverride().action(() => undefined);
      addBridgeManagement(bridge, surroundings, host);
      await program.parseAsync(words, { from: 'user' });
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

const DONE: ProgramRun = { end: 'exited', code: 0, stdout: '', stderr: '' };
const NOT_LOADED: ProgramRun = { ...DONE, code: 113, stderr: 'Could not find service' };

function obey(launchd: Launchd, [word, first]: readonly string[]): ProgramRun {
  if (word === 'enable' && first === SERVICE) return DONE;
  if (word === 'print' && first === SERVICE) return launchd.isLoaded ? DONE : NOT_LOADED;
  if (word === 'bootout' && first === SERVICE) {
    const wasLoaded = launchd.isLoaded;
    launchd.isLoaded = false;
    return wasLoaded ? DONE : NOT_LOADED;
  }
  if (word !== 'bootstrap' || first !== 'gui/501') return { ...DONE, code: 64, stderr: 'Unrecognised' };
  launchd.refusals -= 1;
  if (launchd.isLoaded || launchd.refusals >= 0) return { ...DONE, code: 5, stderr: 'Bootstrap failed: 5' };
  launchd.isLoaded = true;
  return DONE;
}

function createTestTerminal(printed: string[]): Terminal {
  const nobody = () => Promise.reject(new Error('Nobody can be asked.'));
  return {
    width: null,
    print: (line) => void printed.push(line),
    printJson: (value) => void printed.push(toJsonLine(value)),
    note: (line) => void printed.push(line),
    paint: (_, text) => text,
    writeBytes: nobody,
    readInput: nobody,
    readInputBytes: nobody,
    confirm: nobody,
    ask: nobody,
    askSecret: nobody,
  };
}
