/** `trunkline bridge`: the agent on the computer that a line runs on. */
import { type Command, Option } from 'commander';
import { createBridgeHost } from '../bridge-host.ts';
import { type BridgeRunOptions, runBridgeCommand } from '../bridge-run.ts';
import { usageFailure } from '../failure.ts';
import type { Surroundings } from '../surroundings.ts';
import { addBridgeManagement } from './bridge-install.ts';

export function addBridgeCommand(program: Command, surroundings: Surroundings, version: string): void {
  const bridge = program
    .command('bridge')
    .summary('run the agent on the computer that a line runs on')
    .description(
      'Runs the agent on the computer that a line runs on: it dials in to the server, and again whenever the connection ends, until it is told to stop. It ends with 1 where the server refuses it for good.',
    )
    .option('--server <url>', 'the address of the server; http:// for this computer alone')
    .option('--token-file <path>', "the file of the device's token; or set TRUNKLINE_BRIDGE_TOKEN")
    .option('--line <handle>', 'the line, where the device has several')
    .addOption(
      new Option('--driver <name>', 'how the line is reached').choices(['macos', 'simulator']).default('macos'),
    )
    .option('--state-dir <folder>', 'where the agent keeps its journal')
    .action(async ({ server, ...options }: Partial<BridgeRunOptions> & Pick<BridgeRunOptions, 'driver'>) => {
      if (server === undefined) throw usageFailure('Name the server with --server.');
      await runBridgeCommand({ ...options, server }, surroundings, createBridgeHost(surroundings), version);
    });
  addBridgeManagement(bridge, surroundings);
}
