/** Where an address leads, told from the address alone: the pure half of the guard. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * `public` needs no permission and `never` cannot have one. `private` is whatever else is not the public internet. The
 * other three are reached only by a permission that speaks of nothing else.
 */
export type AddressClass = 'public' | 'private' | 'loopback' | 'link_local' | 'metadata' | 'never';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A network: an address and how many of its first bits count. */
export type Network = readonly [address: Address, bits: number];

export interface PlacedAddress {
  readonly address: Address;
  readonly class: AddressClass;
  /** The special network that it belongs to, where it belongs to one of the table. */
  readonly home: Network | null;
}

/**
 * The first that matches counts. What clouds tell their machines about themselves, passwords included, stands under
 * addresses of many ranges, one of them public. A form that carries an IPv4 address leads wherever a translator on the
 * way sends it, so none is ever reached, whatever it carries.
 */
const SPECIAL_NETWORKS: readonly (readonly [AddressClass, readonly string[]])[] = [
  [
    'metadata',
    [
      '169.254.169.254/32',
      '169.254.170.2/32',
      '169.254.170.23/32',
      '169.254.0.23/32',
      '169.254.42.42/32',
      '100.100.100.200/32',
      '168.63.129.16/32',
      '192.0.0.192/32',
      'fd00:ec2::/32',
      'fd20:ce::254/128',
      'fd00:42::42/128',
    ],
  ],
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['link_local', ['169.254.0.0/16', 'fe80::/10']],
  // No single receiver has one of these; and 0.0.0.0 and :: are this very machine.
  ['never', ['0.0.0.0/8', '224.0.0.0/4', '255.255.255.255/32', 'ff00::/8']],
  // IPv4-compatible with ::, IPv4-mapped, IPv4-translated, NAT64 twice, 6to4, Teredo.
  ['never', ['::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32']],
];

const SPECIAL: readonly { readonly class: AddressClass; readonly network: Network }[] = SPECIAL_NETWORKS.flatMap(
  ([name, texts]) => texts.map((text) => ({ class: name, network: ipaddr.parseCIDR(text) })),
);

/** All of IPv6 that has been given out to the public internet. */
const GLOBAL_UNICAST: Network = ipaddr.parseCIDR('2000::/3');
/** The sixth group of an ISATAP address, which carries an IPv4 address in its last 32 bits. */
const ISATAP_MARK = 0x5efe;

/** Null for what is no address, as for one with a zone: `fe80::1%eth0` names an interface of this machine. */
export function placeAddress(text: string): PlacedAddress | null {
  if (isIP(text) === 0 || text.includes('%')) return null;
  const address = ipaddr.parse(text);
  const special = SPECIAL.find((one) => contains(one.network, address));
  if (special) return { address, class: special.class, home: special.network };
  return { address, class: isPublic(address) ? 'public' : isIsatap(address) ? 'never' : 'private', home: null };
}

function contains(network: Network, address: Address): boolean {
  return network[0].kind() === address.kind() && address.match([network[0], network[1]]);
}

/** Whether a permission for the network covers the address: special places need one that lies within their own network. */
export function covers(permitted: Network, place: PlacedAddress): boolean {
  if (place.class === 'never' || !contains(permitted, place.address)) return false;
  if (place.home === null) return true;
  return permitted[1] >= place.home[1];
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || (contains(GLOBAL_UNICAST, address) && !isIsatap(address));
}

function isIsatap(address: Address): boolean {
  return 'parts' in address && address.parts[5] === ISATAP_MARK && [0, 0x200].includes(address.parts[4] ?? 0);
}
