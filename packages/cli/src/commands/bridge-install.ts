/** `trunkline bridge install` and its like: everything about an agent but to be one. */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type BridgeHost, createBridgeHost, findStateFolder } from '../bridge-host.ts';
import { EXIT, Failure, usageFailure } from '../failure.ts';
import { LABEL, launchAgentPaths, launchAgentPlist } from '../launch-agent.ts';
import { createLaunchControl } from '../launch-control.ts';
import { isOpenToReaders, serverUrl } from '../sign-in.ts';
import type { GlobalOptions, Surroundings } from '../surroundings.ts';
import { addBridgeRecord } from './bridge-record.ts';
import { addBridgeStatus } from './bridge-status.ts';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const OTHERS = 0o077;
const DRIVERS = ['macos', 'simulator'];

interface InstallOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly line?: string;
  readonly driver?: string;
  readonly stateDir?: string;
}

/**
 * `bridge` itself may have options of the same names. Then it is the one that finds them among the words, also behind a
 * subcommand: so they are read of both, and what is needed is asked for here and not by the parser.
 */
export function addBridgeManagement(
  bridge: Command,
  surroundings: Surroundings,
  host: BridgeHost = createBridgeHost(surroundings),
): void {
  bridge
    .command('install')
    .description(
      'Lets launchd start the agent when this user logs in, and keep it running. Again, it replaces what was there.',
    )
    .option('--server <url>', 'the server to dial; needed')
    .option('--token-file <file>', 'the file that holds the token of the device, for its owner alone to read; needed')
    .option('--line <handle>', 'the line, where the device has several')
    .addOption(new Option('--driver <name>', 'how the line is reached').choices(DRIVERS))
    .option('--state-dir <folder>', 'where the agent keeps its journal')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<InstallOptions & GlobalOptions>();
      const plist = await install(host, surroundings, options);
      if (options.json === true) surroundings.terminal.printJson({ label: LABEL, plist, installed: true });
      else surroundings.terminal.print(`${LABEL} runs now and at every login. Look at it with: trunkline doctor`);
    });
  bridge
    .command('uninstall')
    .description('Stops the agent and takes it from launchd. Its journal and the token stay.')
    .action(async (_options: unknown, command: Command) => {
      const isJson = command.optsWithGlobals<GlobalOptions>().json === true;
      const { plist, wasThere } = await uninstall(host, surroundings);
      if (isJson) surroundings.terminal.printJson({ label: LABEL, plist, installed: false });
      else surroundings.terminal.print(wasThere ? `${LABEL} is stopped and removed.` : `${LABEL} was not installed.`);
    });
  addBridgeStatus(bridge, surroundings, host);
  addBridgeRecord(bridge, surroundings, host);
}

async function install(host: BridgeHost, { wait }: Surroundings, options: InstallOptions): Promise<string> {
  const words = await wordsOf(host, options);
  requireMac(host);
  const { plist, logs } = launchAgentPaths(host.home);
  for (const folder of [dirname(plist), logs]) mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  const control = createLaunchControl(host, wait);
  if (await control.isLoaded()) await control.unload();
  writePrivately(plist, launchAgentPlist(host, words));
  await control.load(plist);
  return plist;
}

async function uninstall(host: BridgeHost, { wait }: Surroundings): Promise<{ plist: string; wasThere: boolean }> {
  requireMac(host);
  const { plist } = launchAgentPaths(host.home);
  const control = createLaunchControl(host, wait);
  const wasLoaded = await control.isLoaded();
  if (wasLoaded) await control.unload();
  const wasThere = wasLoaded || existsSync(plist);
  rmSync(plist, { force: true });
  return { plist, wasThere };
}

function requireMac({ platform }: BridgeHost): void {
  if (platform === 'darwin') return;
  const sentence =
    'There is no launchd on this system. Run "trunkline bridge --server URL --token-file FILE" as a service of the system that there is.';
  throw new Failure(EXIT.refused, sentence);
}

/** Absolute paths, for launchd starts the agent somewhere else. */
async function wordsOf(host: BridgeHost, options: InstallOptions): Promise<string[]> {
  if (options.server === undefined) throw usageFailure('Name the server with --server.');
  if (options.tokenFile === undefined) throw usageFailure('Name the file of the token with --token-file.');
  const server = serverUrl(options.server);
  if (isOpenToReaders(server)) throw usageFailure('The token and every message could be read on the way: use https.');
  const tokenFile = resolve(options.tokenFile);
  requirePrivate(tokenFile);
  const stateDir = options.stateDir === undefined ? [] : ['--state-dir', await findStateFolder(options.stateDir, host)];
  return [
    ...['--server', server, '--token-file', tokenFile],
    ...(options.line === undefined ? [] : ['--line', options.line]),
    ...(options.driver === undefined ? [] : ['--driver', options.driver]),
    ...stateDir,
  ];
}

function requirePrivate(tokenFile: string): void {
  const file = statSync(tokenFile, { throwIfNoEntry: false });
  if (file?.isFile() !== true)
    throw usageFailure(`There is no file ${tokenFile}. Write the token of the device into it.`);
  if ((file.mode & OTHERS) !== 0)
    throw usageFailure(`Others can read ${tokenFile}. Close it first: chmod 600 ${tokenFile}`);
}

/** Written beside and renamed: launchd reads the old file or the new one, whole. */
function writePrivately(path: string, text: string): void {
  const beside = `${path}.${process.pid}.new`;
  writeFileSync(beside, text, { mode: FILE_MODE });
  chmodSync(beside, FILE_MODE);
  renameSync(beside, path);
}
