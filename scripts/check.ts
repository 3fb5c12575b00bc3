/** `npm run check`: everything that can be known without running the product. Stops at the first failure. */
import { binOf, runNode, seconds } from './run-step.ts';

interface Step {
  readonly name: string;
  readonly script: readonly string[];
}

export const STEPS: readonly Step[] = [
  { name: 'format and lint', script: [binOf('@biomejs/biome', 'biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'types', script: [binOf('typescript', 'tsc'), '--noEmit'] },
  { name: 'architecture and documents', script: [binOf('vitest', 'vitest'), 'run', '--project', 'rules'] },
];

/** The name of the step that failed, or null. */
export async function check(): Promise<string | null> {
  for (const step of STEPS) {
    const start = performance.now();
    const { ok, output } = await runNode(step.script);
    console.log(`${ok ? 'ok    ' : 'FAILED'}  ${step.name} (${seconds(start)})`);
    if (!ok) {
      console.log(`\n${output}`);
      return step.name;
    }
  }
  return null;
}
if (import.meta.main) process.exitCode = (await check()) === null ? 0 : 1;
