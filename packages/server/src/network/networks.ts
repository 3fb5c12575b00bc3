/** The networks that an operator allows, as `TRUNKLINE_SINK_NETWORKS` writes them. */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import ipaddr from 'ipaddr.js';
import { placeAddress } from './address.ts';

export interface Networks {
  /** Each as an address and its bits: `10.0.0.0/8`. */
  readonly ranges: readonly string[];
  /** In lower case and ASCII, without a dot at the end. */
  readonly hosts: readonly string[];
}

export const NO_NETWORKS: Networks = { ranges: [], hosts: [] };
export const LOOPBACK_NETWORKS: Networks = { ranges: ['127.0.0.0/8', '::1/128'], hosts: [] };

const LOOPBACK_WORD = 'loopback';
const IPV4_BITS = 32;
const IPV6_BITS = 128;
const HOST_MAX = 253;
const HOST = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** What would be cut off in silence, or is no part of a name at all. */
const BESIDES_A_HOST = /[:/?#@%[\]\\\s]/;
/** What every program reads as a number is no name: 10.0.0, 0x7f.1, 2130706433. */
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/** An entry that is none, with a sentence that says why. */
export class NetworksError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NetworksError';
  }
}

/** Reads a list with commas. Throws `NetworksError` for the first entry that cannot be used. */
export function parseNetworks(text: string): Networks {
  if (text.trim() === '') return NO_NETWORKS;
  const ranges = new Set<string>();
  const hosts = new Set<string>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry.toLowerCase() === LOOPBACK_WORD) for (const range of LOOPBACK_NETWORKS.ranges) ranges.add(range);
    else if (entry.includes('/') || isIP(entry) !== 0) ranges.add(readRange(entry));
    else hosts.add(readHost(entry));
  }
  return { ranges: [...ranges], hosts: [...hosts] };
}

/** A host's name as names are compared. */
export function plainHost(host: string): string {
  return domainToASCII(host).replace(/\.$/, '');
}

function readRange(entry: string): string {
  const [base = '', prefix, ...rest] = entry.split('/');
  const family = isIP(base);
  const most = family === 4 ? IPV4_BITS : IPV6_BITS;
  if (family === 0 || rest.length > 0 || base.includes('%')) throw refuse(entry, 'is no network such as 10.0.0.0/8');
  if (prefix !== undefined && !(/^\d{1,3}$/.test(prefix) && Number(prefix) <= most)) {
    throw refuse(entry, `must have a number from 0 to ${most} behind its slash`);
  }
  const bits = prefix === undefined ? most : Number(prefix);
  const range = `${ipaddr.parse(base).toString()}/${bits}`;
  const network = networkOf(range);
  if (network !== range) throw refuse(entry, `names an address within a network; write ${network}`);
  const place = placeAddress(base);
  if (place?.class === 'never' && place.home !== null && bits >= place.home[1]) {
    throw refuse(entry, 'can never be reached: it is no receiver’s own address, or carries an IPv4 address in IPv6');
  }
  return range;
}

function networkOf(range: string): string {
  const kind = range.includes(':') ? ipaddr.IPv6 : ipaddr.IPv4;
  return `${kind.networkAddressFromCIDR(range).toString()}/${range.split('/')[1]}`;
}

function readHost(entry: string): string {
  const host = BESIDES_A_HOST.test(entry) ? '' : plainHost(entry);
  if (host !== '' && host.length <= HOST_MAX && HOST.test(host) && !ENDS_IN_NUMBER.test(host)) return host;
  throw refuse(entry, 'is no network, no address and no host name (without a port, a path or a wildcard)');
}

function refuse(entry: string, why: string): NetworksError {
  return new NetworksError(`'${entry}' ${why}`);
}
