import { describe, expect, it } from 'vitest';
import { LOOPBACK_NETWORKS, NetworksError, NO_NETWORKS, parseNetworks } from './networks.ts';

describe('a list of networks', () => {
  it('is empty when nothing is written', () => {
    for (const text of ['', ' ', '\t']) expect(parseNetworks(text)).toEqual(NO_NETWORKS);
  });

  it.each(['loopback', 'Loopback', ' loopback ', 'loopback,127.0.0.0/8,::1'])('knows this machine by "%s"', (text) => {
    expect(parseNetworks(text)).toEqual(LOOPBACK_NETWORKS);
  });

  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['169.254.169.254', '169.254.169.254/32'],
    ['::/0', '::/0'],
    ['FD00:0::/8', 'fd00::/8'],
    ['fd00:0:0::0001', 'fd00::1/128'],
    ['fe80::/10', 'fe80::/10'],
    ['127.0.0.1', '127.0.0.1/32'],
  ])('reads %s as the network %s', (text, range) => {
    expect(parseNetworks(text)).toEqual({ ranges: [range], hosts: [] });
  });

  it.each([
    ['receiver', 'receiver'],
    ['Hooks.Example.COM.', 'hooks.example.com'],
    ['my_host.internal', 'my_host.internal'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['localhost', 'localhost'],
    ['10.example', '10.example'],
  ])('reads %s as the host %s', (text, host) => {
    expect(parseNetworks(text)).toEqual({ ranges: [], hosts: [host] });
  });

  it('reads several, each once, with blanks around the commas', () => {
    expect(parseNetworks('10.0.0.0/8 , receiver,loopback, 10.0.0.0/8,RECEIVER')).toEqual({
      ranges: ['10.0.0.0/8', ...LOOPBACK_NETWORKS.ranges],
      hosts: ['receiver'],
    });
  });

  it.each([
    ['10.0.0.1/8', /write 10\.0\.0\.0\/8$/],
    ['fd00::1/8', /write fd00::\/8$/],
    ['10.0.0.0/33', /from 0 to 32/],
    ['fd00::/129', /from 0 to 128/],
    ['10.0.0.0/', /from 0 to 32/],
    ['10.0.0.0/-1', /from 0 to 32/],
    ['10.0.0.0/255.0.0.0', /from 0 to 32/],
    ['10.0.0.0/8/8', /no network/],
    ['10.0.0/8', /no network/],
    ['receiver/24', /no network/],
    ['fe80::1%eth0', /no network/],
    ['0.0.0.0', /never be reached/],
    ['224.0.0.0/8', /never be reached/],
    ['ff02::1', /never be reached/],
    ['::ffff:10.0.0.1', /never be reached/],
    ['64:ff9b::/96', /never be reached/],
    ['2002:a00:1::/48', /never be reached/],
    ['10.0.0', /no host name/],
    ['0x7f.1', /no host name/],
    ['2130706433', /no host name/],
    ['１２７.0.0.1', /no host name/],
    ['*.internal', /no host name/],
    ['http://receiver', /no network|no host name/],
    ['receiver:3000', /no host name/],
    ['[::1]', /no host name/],
    ['user@receiver', /no host name/],
    ['a b', /no host name/],
    ['a..b', /no host name/],
    ['-a', /no host name/],
    ['a%41', /no host name/],
    [`${'a'.repeat(64)}.example`, /no host name/],
    ['receiver,', /^'' is no network/],
    [',', /^'' is no network/],
    ['10.0.0.0/8;receiver', /from 0 to 32/],
  ])('refuses "%s" with a sentence', (text, why) => {
    expect(() => parseNetworks(text)).toThrow(NetworksError);
    expect(() => parseNetworks(text)).toThrow(why);
  });
});
