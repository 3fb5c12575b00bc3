/**
 * What a key may spend in an hour. Each process counts in memory, adds what it counted to the database once a second and
 * learns the sum of all from it: processes together overshoot by a second of traffic at most. An hour's allowance may
 * be spent at once.
 */
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Engine } from '../store/database.ts';
import { readRequests, recordKeyUse } from '../store/key-use.ts';
import type { Writer } from '../store/writer.ts';
import type { Caller } from './authenticate.ts';

const HOUR_MS = 3_600_000;
const FLUSH_EVERY_MS = 1_000;
/** How often the use of a key that spends nothing is written. */
const USE_EVERY_MS = 60_000;

export interface Allowance {
  readonly limit: number;
  readonly remaining: number;
  /** Whole seconds until the hour ends. */
  readonly resetSeconds: number;
  /** Whether this request is one too many. */
  readonly isOver: boolean;
}

export interface RateLimits {
  /** Counts a request of the key, unless it is one too many. Answers at once but for a key's first request in an hour. */
  spend(caller: Caller): Allowance | Promise<Allowance>;
  /** Notes the use of the key without counting it. */
  look(caller: Caller): Allowance | Promise<Allowance>;
  /** Writes down what is left to write. */
  stop(): Promise<void>;
}

export interface RateLimitDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Log;
}

/** One key in one hour. */
interface Account {
  readonly keyRef: number;
  readonly hourAt: number;
  /** What the database has, as last heard. */
  total: number;
  /** Counted here and not written yet. */
  unwritten: number;
  /** Being written: no longer there and not yet in the total. */
  writing: number;
  usedAt: number;
  writtenUseAt: number;
}

export function startRateLimits(deps: RateLimitDeps): RateLimits {
  return new HourlyRateLimits(deps);
}

class HourlyRateLimits implements RateLimits {
  readonly #deps: RateLimitDeps;
  readonly #accounts = new Map<number, Account>();
  /** Hours that have ended with something left to write. */
  readonly #ended = new Set<Account>();
  readonly #opening = new Map<number, Promise<Account>>();
  #flushing: Promise<void> = Promise.resolve();
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(deps: RateLimitDeps) {
    this.#deps = deps;
    this.#again();
  }

  spend(caller: Caller): Allowance | Promise<Allowance> {
    return this.#use(caller, 1);
  }

  look(caller: Caller): Allowance | Promise<Allowance> {
    return this.#use(caller, 0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#flushing;
    await this.#flush();
  }

  #use(caller: Caller, cost: 0 | 1): Allowance | Promise<Allowance> {
    const now = this.#deps.clock.now();
    const account = this.#accountOf(caller.keyRef, hourOf(now));
    return account instanceof Promise
      ? account.then((one) => take(one, caller.rateLimitPerHour, cost, now))
      : take(account, caller.rateLimitPerHour, cost, now);
  }

  #accountOf(keyRef: number, hourAt: number): Account | Promise<Account> {
    const known = this.#accounts.get(keyRef);
    if (known?.hourAt === hourAt) return known;
    if (known && known.unwritten > 0) this.#ended.add(known);
    const shared = this.#opening.get(keyRef);
    if (shared) return shared.then(() => this.#accountOf(keyRef, hourAt));
    const opened = this.#open(keyRef, hourAt).finally(() => this.#opening.delete(keyRef));
    this.#opening.set(keyRef, opened);
    return opened;
  }

  async #open(keyRef: number, hourAt: number): Promise<Account> {
    const total = await readRequests(this.#deps.engine, keyRef, hourAt);
    const account = { keyRef, hourAt, total, unwritten: 0, writing: 0, usedAt: 0, writtenUseAt: 0 };
    this.#accounts.set(keyRef, account);
    return account;
  }

  #again(): void {
    if (this.#stopped) return;
    this.#cancel = this.#deps.clock.after(FLUSH_EVERY_MS, () => {
      this.#flushing = this.#flush().then(() => this.#again());
    });
  }

  async #flush(): Promise<void> {
    const due = [...this.#accounts.values()].filter((account) => account.unwritten > 0 || isUseDue(account));
    await Promise.all([...due, ...this.#ended].map((account) => this.#write(account)));
    const hourAt = hourOf(this.#deps.clock.now());
    for (const [keyRef, account] of this.#accounts) {
      if (account.hourAt < hourAt && account.unwritten === 0) this.#accounts.delete(keyRef);
    }
  }

  async #write(account: Account): Promise<void> {
    const { keyRef, hourAt, unwritten, usedAt } = account;
    account.unwritten = 0;
    account.writing = unwritten;
    try {
      account.total = await this.#deps.writer.write(recordKeyUse, { keyRef, hourAt, requests: unwritten, usedAt });
      account.writtenUseAt = usedAt;
      this.#ended.delete(account);
    } catch (error) {
      // What was counted stays counted here, and is written when the database is back.
      account.unwritten += unwritten;
      this.#deps.log.warn({ err: error }, 'what keys spend could not be written and is kept');
    } finally {
      account.writing = 0;
    }
  }
}

function hourOf(now: number): number {
  return now - (now % HOUR_MS);
}

function take(account: Account, limit: number, cost: 0 | 1, now: number): Allowance {
  account.usedAt = now;
  const spent = account.total + account.writing + account.unwritten;
  const isOver = cost > 0 && spent >= limit;
  if (!isOver) account.unwritten += cost;
  const remaining = Math.max(0, limit - spent - (isOver ? 0 : cost));
  return { limit, remaining, resetSeconds: Math.ceil((account.hourAt + HOUR_MS - now) / 1_000), isOver };
}

/** A key that only makes calls that are not counted is seen all the same. */
function isUseDue(account: Account): boolean {
  return account.usedAt - account.writtenUseAt >= USE_EVERY_MS;
}
