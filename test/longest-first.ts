/** The order of the test files: those that take longest come first, so that none of them runs alone at the end. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those of twenty seconds and more, the longest first. Vitest knows that only where it has run them before. */
const LONGEST = [
  'packages/server/test/write-pairs.test.ts',
  'packages/server/test/fuzz.test.ts',
  'packages/drivers/test/macos.test.ts',
  'packages/server/test/access-matrix.test.ts',
  'packages/drivers/test/macos-sender-faults.test.ts',
  'packages/server/test/media.test.ts',
  'packages/drivers/test/macos-reader-oracle.test.ts',
  'packages/cli/test/conversation.test.ts',
  'packages/server/test/outbox.test.ts',
  'packages/server/test/audio-formats.test.ts',
  'packages/server/test/audio-hostile.test.ts',
  'packages/server/test/round-trip.test.ts',
  'packages/server/test/lost-answers.test.ts',
  'packages/cli/test/failures.test.ts',
  'packages/cli/test/help.test.ts',
  'packages/cli/test/administration.test.ts',
  'packages/server/test/files.test.ts',
  'packages/server/test/admin-line-removal.test.ts',
  'test/kill-points.test.ts',
  'test/mac-timelines.test.ts',
  'test/kill.test.ts',
  'test/failing-disk.test.ts',
  'test/uploads.test.ts',
  'test/freeze.test.ts',
  'test/postgres-away.test.ts',
  'test/stop.test.ts',
  'test/slow-clients.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const gone = LONGEST.filter((file) => !existsSync(join(root, file)));
    if (gone.length > 0) throw new Error(`Take out of test/longest-first.ts: ${gone.join(', ')}`);
    const placeOf = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.indexOf(relative(root, moduleId));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}
