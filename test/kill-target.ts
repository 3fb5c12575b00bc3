/**
 * The real server as a process of its own, for tests that kill it, freeze it or cut its power. Its parent forks it with
 * the settings in the environment, gives it orders, and takes it along when it ends itself.
 */
import { enableCompileCache, flushCompileCache } from 'node:module';
import type { Failpoint, ReachFailpoint } from '../packages/server/src/index.ts';

// As `npm start` does; here the cache is written early, for this process will not end by itself.
enableCompileCache();
const { createLog, createServer, readConfig, systemClock } = await import('../packages/server/src/index.ts');
const { sendByUrl } = await import('./send-by-url.ts');

/** What the process does at a failpoint from now on. A new order replaces the one before it. */
export type Order =
  /** It kills itself at the nth time that it gets there. */
  | { readonly kind: 'die_at'; readonly failpoint: Failpoint; readonly nth: number }
  /** Whatever gets there stays there until the next order. */
  | { readonly kind: 'stay_at'; readonly failpoint: Failpoint }
  | { readonly kind: 'go_on' };

export type Said =
  | { readonly kind: 'ready'; readonly address: string; readonly holder: string }
  /** Something stays where the order said. */
  | { readonly kind: 'stays' };

/** What holds from the start comes in the environment: a message could come too late. */
let order: Order = JSON.parse(process.env['FIRST_ORDER'] ?? '{ "kind": "go_on" }');
let reached = 0;
let staying: (() => void)[] = [];

function take(next: Order): void {
  order = next;
  reached = 0;
  for (const goOn of staying.splice(0)) goOn();
}

const failpoint: ReachFailpoint = (name) => {
  if (order.kind === 'go_on' || order.failpoint !== name) return undefined;
  reached++;
  if (order.kind === 'stay_at') {
    if (reached === 1) say({ kind: 'stays' });
    return new Promise((resolve) => {
      staying = [...staying, resolve];
    });
  }
  if (reached >= order.nth) process.kill(process.pid, 'SIGKILL');
  return undefined;
};

function say(said: Said): void {
  process.send?.(said);
}

process.on('disconnect', () => process.exit(1));
process.on('message', take);
const config = readConfig(process.env);
const server = await createServer({
  config,
  clock: systemClock,
  log: createLog(config.logLevel, false),
  failpoint,
  random: Math.random,
});
sendByUrl(server, failpoint);
flushCompileCache();
say({ kind: 'ready', address: (await server.listen()) ?? '', holder: server.holder });
