/** `trunkline bridge`: the agent on the computer that a line runs on. */
import type { Command } from 'commander';
import type { Surroundings } from '../surroundings.ts';
import { addBridgeManagement } from './bridge-install.ts';

export function addBridgeCommand(program: Command, surroundings: Surroundings): void {
  const bridge = program
    .command('bridge')
    .summary('the agent on the computer that a line runs on')
    .description('The agent on the computer that a line runs on.');
  addBridgeManagement(bridge, surroundings);
}
