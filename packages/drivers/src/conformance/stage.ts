import type { FarSide } from './line-harness.ts';
import type { ServerSide } from './server-side.ts';

/** What one test plays on. */
export interface Stage {
  readonly server: ServerSide;
  readonly far: FarSide;
  /** The line's handle. */
  readonly line: string;
}
