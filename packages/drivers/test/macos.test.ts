import { describeLineDriver } from '../src/conformance.ts';
import { GENERATIONS } from './fake-mac/generations.ts';
import { MACOS_CANNOT, makeMacosHarness } from './macos-harness.ts';
import { makeRemoteHarness } from './remote-harness.ts';

for (const generation of GENERATIONS) {
  describeLineDriver(`A Mac of the generation ${generation}`, () => makeMacosHarness(generation), MACOS_CANNOT);
}
describeLineDriver(
  'A remote line with a Mac at its end',
  async () => makeRemoteHarness(await makeMacosHarness()),
  MACOS_CANNOT,
);
