import { describeLineDriver } from '../src/conformance.ts';
import { MACOS_CANNOT, makeMacosHarness } from './macos-harness.ts';
import { makeRemoteHarness } from './remote-harness.ts';

describeLineDriver('A Mac', () => makeMacosHarness('golden'), MACOS_CANNOT);
describeLineDriver(
  'A remote line with an old Mac at its end',
  async () => makeRemoteHarness(await makeMacosHarness('ventura')),
  MACOS_CANNOT,
);
