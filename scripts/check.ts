/** `npm run check`: everything that can be known without running the product. Stops at the first failure. */
import { join } from 'node:path';
import { binOf, ROOT, runNode, seconds } from './run-step.ts';

interface Step {
  readonly name: string;
  readonly script: readonly string[];
  /** What it writes is to be read also when it passes. */
  readonly showsOutput?: true;
}

export const STEPS: readonly Step[] = [
  { name: 'format and lint', script: [binOf('@biomejs/biome', 'biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'types', script: [binOf('typescript', 'tsc'), '--noEmit'] },
  { name: 'what nothing uses', script: [binOf('knip', 'knip'), '--no-progress', '--no-config-hints'] },
  { name: 'architecture and documents', script: [binOf('vitest', 'vitest'), 'run', '--project', 'rules'] },
  { name: 'known holes in packages', script: [join(ROOT, 'scripts/audit.ts')], showsOutput: true },
];

/** The name of the step that failed, or null. */
export async function check(): Promise<string | null> {
  for (const step of STEPS) {
    const start = performance.now();
    const { ok, output } = await runNode(step.script);
    console.log(`${ok ? 'ok    ' : 'FAILED'}  ${step.name} (${seconds(start)})`);
    if (ok && step.showsOutput === true && output !== '') console.log(`        ${output.trimEnd()}`);
    if (!ok) {
      console.log(`\n${output}`);
      return step.name;
    }
  }
  return null;
}
if (import.meta.main) process.exitCode = (await check()) === null ? 0 : 1;
