import { describeSimulator } from '../conformance.ts';
import { openMemoryWireDatabase } from './memory-wire-database.test-support.ts';

describeSimulator('The simulator in memory', openMemoryWireDatabase);
