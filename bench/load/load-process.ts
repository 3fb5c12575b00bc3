/** The process that makes the load, one for a whole run, so that every side meets the same warm client. */
import { serveCalls } from '../calls.ts';
import { runClosedLoop } from './closed-loop.ts';
import { runFsyncAndPost } from './fsync-and-post.ts';
import { runOpenLoop } from './open-loop.ts';
import { runOverload } from './overload.ts';

const LOAD_CALLS = {
  closedLoop: runClosedLoop,
  openLoop: runOpenLoop,
  overload: runOverload,
  fsyncAndPost: runFsyncAndPost,
} as const;
export type LoadCalls = typeof LOAD_CALLS;

serveCalls(LOAD_CALLS);
