/**
 * One guard for every request to an address that somebody else chose. It is asked when the address is given, and it
 * holds at every connection: what is checked there is what is dialled, so a name that changes its mind gains nothing.
 */
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { buildConnector, Pool } from 'undici';
import type { Clock } from '../clock.ts';
import { covers, type Network, placeAddress } from './address.ts';
import { type Networks, plainHost } from './networks.ts';
import { joinLookups, type Lookup } from './resolver.ts';

/** A name that takes longer counts as one that does not resolve; it is checked again when it is dialled. */
const LOOKUP_MS = 2_000;
const MUST_BE_URL = 'must be an absolute URL';
const MUST_BE_HTTPS = 'must be an https URL';
const NO_USER = 'must not carry a user name or password';
const NOT_ALLOWED =
  'leads to an address that this server may not call; use one on the public internet, or have the network allowed with TRUNKLINE_SINK_NETWORKS';

/** Names that mean an address wherever they are asked for, also where they happen not to resolve. */
const MEANT_ADDRESSES: readonly (readonly [RegExp, string])[] = [
  [/(?:^|\.)localhost$/, '127.0.0.1'],
  [/^metadata\.(?:google\.internal|goog|azure\.internal|tencentyun\.com)$/, '169.254.169.254'],
  [/^instance-data(?:\.ec2\.internal)?$/, '169.254.169.254'],
];

export interface GuardDeps {
  readonly networks: Networks;
  readonly lookup: Lookup;
  readonly clock: Clock;
}

export interface NetworkGuard {
  /** Null when the URL may be used as far as can be told now, else what is wrong with it, to follow "The 'url' field". */
  refuseUrl(url: string): Promise<string | null>;
  /** Connections to one origin, each checked; one that is not allowed ends in `BlockedAddressError`, nothing sent. */
  openPool(origin: string, options: PoolOptions): Pool;
}

interface PoolOptions extends Omit<Pool.Options, 'connect' | 'connectTimeout' | 'factory' | 'socketPath'> {
  readonly connectTimeoutMs: number;
}

class BlockedAddressError extends Error {
  readonly code = 'blocked_address';

  constructor() {
    super('The address is not allowed.');
    this.name = 'BlockedAddressError';
  }
}

/** Who is called, and whether without TLS. */
interface Callee {
  readonly host: string;
  readonly isPlain: boolean;
}

export function createNetworkGuard({ networks, lookup, clock }: GuardDeps): NetworkGuard {
  const ranges: readonly Network[] = networks.ranges.map((range) => ipaddr.parseCIDR(range));
  const hosts: ReadonlySet<string> = new Set(networks.hosts);
  const resolve = joinLookups(lookup);

  const mayReach = ({ host, isPlain }: Callee, address: string): boolean => {
    const place = placeAddress(address);
    if (place === null || place.class === 'never') return false;
    if (ranges.some((range) => covers(range, place))) return true;
    const isNameEnough = place.class !== 'link_local' && place.class !== 'metadata';
    if (isNameEnough && hosts.has(plainHost(host))) return true;
    return place.class === 'public' && !isPlain;
  };
  const mayReachAll = (callee: Callee, addresses: readonly string[]): boolean =>
    [...meantBy(callee.host), ...addresses].every((address) => mayReach(callee, address));

  return {
    async refuseUrl(url) {
      const parsed = URL.canParse(url) ? new URL(url) : null;
      if (!parsed) return MUST_BE_URL;
      if (parsed.username !== '' || parsed.password !== '') return NO_USER;
      if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return MUST_BE_HTTPS;
      const callee = { host: bareHost(parsed.hostname), isPlain: parsed.protocol === 'http:' };
      const found = isIP(callee.host) === 0 ? await within(clock, resolve(callee.host)) : [callee.host];
      const isUnknown = found.length + meantBy(callee.host).length === 0;
      const mayCall = isUnknown ? !callee.isPlain || hosts.has(plainHost(callee.host)) : mayReachAll(callee, found);
      if (mayCall) return null;
      return callee.isPlain ? MUST_BE_HTTPS : NOT_ALLOWED;
    },
    openPool(origin, { connectTimeoutMs, ...options }) {
      const callee = { host: bareHost(new URL(origin).hostname), isPlain: new URL(origin).protocol === 'http:' };
      const connect = buildConnector({
        timeout: connectTimeoutMs,
        lookup: checkedLookup(resolve, (addresses) => mayReachAll(callee, addresses)),
      });
      // A literal address is dialled without a look-up.
      const isBlocked = isIP(callee.host) !== 0 && !mayReachAll(callee, [callee.host]);
      return new Pool(origin, {
        ...options,
        connect: (target, callback) => {
          if (isBlocked) queueMicrotask(() => callback(new BlockedAddressError(), null));
          else connect(target, callback);
        },
      });
    },
  };
}

/** The look-up of a connection that is being made: it gives the socket only what was checked, and all or nothing. */
function checkedLookup(resolve: Lookup, mayReachAll: (addresses: readonly string[]) => boolean): LookupFunction {
  return (host, options, callback) => {
    const answer = (addresses: readonly string[]) => {
      const found = addresses.map((address) => ({ address, family: isIP(address) }));
      const [first] = found;
      if (!first || !mayReachAll(addresses)) callback(new BlockedAddressError(), '');
      else if (options.all) callback(null, found);
      else callback(null, first.address, first.family);
    };
    resolve(host).then(answer, (error: Error) => callback(error, ''));
  };
}

/** The addresses in time, else none. */
async function within(clock: Clock, looking: Promise<readonly string[]>): Promise<readonly string[]> {
  let cancel: () => void = () => undefined;
  const timeout = new Promise<readonly string[]>((resolve) => {
    cancel = clock.after(LOOKUP_MS, () => resolve([]));
  });
  const unresolved = (): readonly string[] => [];
  return Promise.race([looking.catch(unresolved), timeout]).finally(cancel);
}

function meantBy(host: string): readonly string[] {
  const name = plainHost(host);
  return MEANT_ADDRESSES.filter(([pattern]) => pattern.test(name)).map(([, address]) => address);
}

/** IPv6 without its brackets. */
function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
