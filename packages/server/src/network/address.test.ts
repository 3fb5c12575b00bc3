import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { type AddressClass, covers, type Network, placeAddress } from './address.ts';

const classOf = (address: string): AddressClass | undefined => placeAddress(address)?.class;
const ipv4 = fc.tuple(...Array.from({ length: 4 }, () => fc.nat(255)));
const ipv6 = fc.tuple(...Array.from({ length: 8 }, () => fc.oneof(fc.constant(0), fc.nat(0xffff))));
const dotted = (octets: readonly number[]) => octets.join('.');

/** The first address of each network, one within it and its last. */
const NETWORKS: readonly (readonly [AddressClass, string, ...string[]])[] = [
  ['never', '0.0.0.0/8', '0.0.0.0', '0.1.2.3', '0.255.255.255'],
  ['private', '10.0.0.0/8', '10.0.0.0', '10.1.2.3', '10.255.255.255'],
  ['private', '100.64.0.0/10', '100.64.0.0', '100.100.1.1', '100.127.255.255'],
  ['loopback', '127.0.0.0/8', '127.0.0.0', '127.0.0.1', '127.255.255.255'],
  ['link_local', '169.254.0.0/16', '169.254.0.0', '169.254.1.1', '169.254.255.255'],
  ['private', '172.16.0.0/12', '172.16.0.0', '172.17.0.2', '172.31.255.255'],
  ['private', '192.0.0.0/24', '192.0.0.0', '192.0.0.8', '192.0.0.255'],
  ['private', '192.0.2.0/24', '192.0.2.0', '192.0.2.1', '192.0.2.255'],
  ['private', '192.88.99.0/24', '192.88.99.0', '192.88.99.1', '192.88.99.255'],
  ['private', '192.168.0.0/16', '192.168.0.0', '192.168.1.1', '192.168.255.255'],
  ['private', '198.18.0.0/15', '198.18.0.0', '198.19.0.1', '198.19.255.255'],
  ['private', '198.51.100.0/24', '198.51.100.0', '198.51.100.7', '198.51.100.255'],
  ['private', '203.0.113.0/24', '203.0.113.0', '203.0.113.7', '203.0.113.255'],
  ['never', '224.0.0.0/4', '224.0.0.0', '224.0.0.251', '239.255.255.255'],
  ['private', '240.0.0.0/4', '240.0.0.0', '250.1.2.3', '255.255.255.254'],
  ['never', 'broadcast', '255.255.255.255'],
  ['never', 'unspecified', '::'],
  ['loopback', 'loopback', '::1'],
  ['never', '::/96', '::2', '::127.0.0.1', '::8.8.8.8', '::ffff:ffff'],
  ['never', '::ffff:0:0/96', '::ffff:0:0', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:7f00:1'],
  ['never', '::ffff:0:0:0/96', '::ffff:0:7f00:1', '::ffff:0:808:808'],
  ['never', '64:ff9b::/96', '64:ff9b::', '64:ff9b::7f00:1', '64:ff9b::8.8.8.8'],
  ['never', '64:ff9b:1::/48', '64:ff9b:1::', '64:ff9b:1:ffff::7f00:1'],
  ['private', '100::/64', '100::', '100::1'],
  ['never', '2001::/32', '2001::', '2001:0:7f00:1::', '2001:0:ffff:ffff:ffff:ffff:80ff:fffe'],
  ['private', '2001::/23', '2001:2::1', '2001:10::1', '2001:1ff:ffff::1'],
  ['private', '2001:db8::/32', '2001:db8::', '2001:db8:ffff::1'],
  ['never', '2002::/16', '2002::', '2002:7f00:1::', '2002:808:808::1'],
  ['private', '3fff::/20', '3fff::1', '3fff:fff::1'],
  ['private', '5f00::/16', '5f00::1', '5f00:ffff::1'],
  ['private', 'not given out', '4000::1', '8000::1', 'a000::1', '1::1'],
  ['private', 'fc00::/7', 'fc00::', 'fd12:3456::1', 'fdff:ffff::1'],
  ['link_local', 'fe80::/10', 'fe80::', 'fe80::1', 'febf:ffff::1'],
  ['private', 'fec0::/10', 'fec0::', 'feff:ffff::1'],
  ['never', 'ff00::/8', 'ff00::', 'ff02::1', 'ffff:ffff::1'],
  ['never', 'ISATAP', '2600::5efe:7f00:1', '2600::200:5efe:a00:1', 'fe00::5efe:a00:1'],
  ['metadata', 'clouds', '169.254.169.254', '169.254.170.2', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
  ['metadata', 'clouds by IPv6', 'fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254', 'fd00:42::42'],
];

describe('an address', () => {
  it.each(NETWORKS)('is %s within %s', (expected, _network, ...addresses) => {
    for (const address of addresses) expect(classOf(address), address).toBe(expected);
  });

  it.each(['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'])(
    'is public: %s',
    (address) => {
      expect(classOf(address)).toBe('public');
    },
  );

  it.each(['128.0.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0', '223.255.255.255'])(
    'is public: %s',
    (address) => {
      expect(classOf(address)).toBe('public');
    },
  );

  it.each(['2600::1', '2606:4700:4700::1111', '2a00:1450:4001:800::200e', '2001:4860:4860::8888', '2003::1'])(
    'is public: %s',
    (address) => {
      expect(classOf(address)).toBe('public');
    },
  );

  it.each([
    '',
    'localhost',
    '127.1',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '2130706433',
    '127.0.0.1.',
    ' 127.0.0.1',
    '1.2.3.4/8',
  ])('is none when it is spelt "%s"', (text) => {
    expect(placeAddress(text)).toBeNull();
  });

  it.each(['fe80::1%eth0', '::1%lo', '2600::1%1', '[::1]', ':::1', '1::2::3'])(
    'is none with a zone or spelt %s',
    (text) => {
      expect(placeAddress(text)).toBeNull();
    },
  );
});

describe('spellings of one address', () => {
  it('agree in IPv4, as a URL reads them: dotted, in one number, in hexadecimal and in octal', () => {
    fc.assert(
      fc.property(ipv4, (octets) => {
        const [a = 0, b = 0, c = 0, d = 0] = octets;
        const number = ((a * 256 + b) * 256 + c) * 256 + d;
        const hex = octets.map((octet) => `0x${octet.toString(16)}`);
        const spellings = [
          dotted(octets),
          `${dotted(octets)}.`,
          String(number),
          `0x${number.toString(16)}`,
          `0${number.toString(8)}`,
          hex.join('.'),
          octets.map((octet) => `0${octet.toString(8)}`).join('.'),
          `${a}.${(b * 256 + c) * 256 + d}`,
          `${a}.${b}.${c * 256 + d}`,
          dotted(octets).replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
        ];
        for (const spelling of spellings) {
          expect(classOf(new URL(`http://${spelling}/`).hostname), spelling).toBe(classOf(dotted(octets)));
        }
      }),
    );
  });

  it('agree in IPv6: in full, shortened, in upper case, with a dotted end, and as a URL reads it', () => {
    fc.assert(
      fc.property(ipv6, (groups) => {
        const full = groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
        const [g = 0, h = 0] = groups.slice(6);
        const end = dotted([g >> 8, g & 255, h >> 8, h & 255]);
        const short = ipaddr.parse(full).toString();
        const read = new URL(`http://[${full}]/`).hostname.slice(1, -1);
        const withEnd = `${full.split(':').slice(0, 6).join(':')}:${end}`;
        for (const spelling of [short, full.toUpperCase(), withEnd, read]) {
          expect(classOf(spelling), spelling).toBe(classOf(full));
        }
      }),
    );
  });

  it('that carry an IPv4 address in IPv6 are never reached, whatever they carry', () => {
    fc.assert(
      fc.property(ipv4, ([a = 0, b = 0, c = 0, d = 0]) => {
        const high = (a * 256 + b).toString(16);
        const low = (c * 256 + d).toString(16);
        const forms = ['::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::', '2600:1::5efe:'].map(
          (one) => `${one}${high}:${low}`,
        );
        for (const form of [...forms, `2002:${high}:${low}::1`, `2001:0:${high}:${low}::1`]) {
          expect(classOf(form), form).toBe('never');
        }
        expect(classOf(`::${high}:${low}`)).toBe(dotted([a, b, c, d]) === '0.0.0.1' ? 'loopback' : 'never');
      }),
    );
  });

  it('that are public lie in no network that the table names', () => {
    const named = NETWORKS.flatMap(([, name]) => (name.includes('/') ? [ipaddr.parseCIDR(name)] : []));
    const isNamed = (address: string) => {
      const parsed = ipaddr.parse(address);
      return named.some(([base, bits]) => base.kind() === parsed.kind() && parsed.match([base, bits]));
    };
    const anyAddress = fc.oneof(
      ipv4.map(dotted),
      ipv6.map((groups) => groups.map((group) => group.toString(16)).join(':')),
    );
    fc.assert(fc.property(anyAddress, (address) => classOf(address) !== 'public' || !isNamed(address)));
  });
});

describe('a permission for a network', () => {
  const permits = (network: string, address: string): boolean => {
    const place = placeAddress(address);
    const permitted: Network = ipaddr.parseCIDR(network);
    return place !== null && covers(permitted, place);
  };

  it.each([
    ['10.0.0.0/8', '10.1.2.3'],
    ['0.0.0.0/0', '10.1.2.3'],
    ['::/0', 'fd12::1'],
    ['127.0.0.0/8', '127.0.0.1'],
    ['127.0.0.1/32', '127.0.0.1'],
    ['::1/128', '::1'],
    ['169.254.0.0/16', '169.254.1.1'],
    ['fe80::/10', 'fe80::1'],
    ['169.254.169.254/32', '169.254.169.254'],
    ['100.100.100.200/32', '100.100.100.200'],
    ['8.8.8.0/24', '8.8.8.8'],
  ])('of %s covers %s', (network, address) => {
    expect(permits(network, address)).toBe(true);
  });

  it.each([
    ['10.0.0.0/8', '11.0.0.1'],
    ['10.0.0.0/8', 'fd12::1'],
    ['0.0.0.0/0', '127.0.0.1'],
    ['126.0.0.0/7', '127.0.0.1'],
    ['0.0.0.0/0', '169.254.1.1'],
    ['0.0.0.0/0', '169.254.169.254'],
    ['169.254.0.0/16', '169.254.169.254'],
    ['169.254.169.0/24', '169.254.169.254'],
    ['100.64.0.0/10', '100.100.100.200'],
    ['0.0.0.0/0', '168.63.129.16'],
    ['0.0.0.0/0', '0.0.0.0'],
    ['224.0.0.0/4', '224.0.0.1'],
    ['::/0', '::1'],
    ['::/0', '::'],
    ['::/0', 'fe80::1'],
    ['fc00::/7', 'fd00:ec2::254'],
    ['::/0', '::ffff:10.0.0.1'],
    ['64:ff9b::/96', '64:ff9b::a00:1'],
    ['0.0.0.0/0', '::ffff:10.0.0.1'],
  ])('of %s does not cover %s', (network, address) => {
    expect(permits(network, address)).toBe(false);
  });
});
