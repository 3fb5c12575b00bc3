/** URLs that lead where nobody outside may look, each in a spelling that has passed some guard somewhere. */

/** Stands for the port of a listener on this machine. */
export const PORT = 'PORT';

export interface HostileUrl {
  readonly url: string;
  /** What the name resolves to, for names. */
  readonly addresses?: readonly string[];
}

const PLAIN: readonly string[] = [
  // This machine, and every way in which a URL may spell it.
  'https://127.0.0.1:PORT/',
  'http://127.0.0.1:PORT/',
  'https://127.0.0.1.:PORT/',
  'https://127.1:PORT/',
  'https://127.0.1:PORT/',
  'https://0177.0.0.1:PORT/',
  'https://0x7f.0.0.1:PORT/',
  'https://0x7f.1:PORT/',
  'https://0x7f000001:PORT/',
  'https://017700000001:PORT/',
  'https://2130706433:PORT/',
  'https://１２７.０.０.１:PORT/',
  'https://①②⑦.⓪.⓪.①:PORT/',
  'https://127。0。0。1:PORT/',
  'https://%31%32%37.0.0.1:PORT/',
  'https://127.0.0.2:PORT/',
  'https://127.255.255.255:PORT/',
  'https://0:PORT/',
  'https://0.0.0.0:PORT/',
  'https://0.0.0.1:PORT/',
  'https://[::]:PORT/',
  'https://[::1]:PORT/',
  'https://[0:0:0:0:0:0:0:1]:PORT/',
  'https://[0000::0001]:PORT/',
  'HTTPS://[::FFFF:127.0.0.1]:PORT/',
  'https://[::ffff:7f00:1]:PORT/',
  'https://[0:0:0:0:0:ffff:7f00:1]:PORT/',
  'https://[::127.0.0.1]:PORT/',
  'https://[::ffff:0:127.0.0.1]:PORT/',
  'https://[64:ff9b::7f00:1]:PORT/',
  'https://[64:ff9b::127.0.0.1]:PORT/',
  'https://[64:ff9b:1::127.0.0.1]:PORT/',
  'https://[2002:7f00:1::]:PORT/',
  'https://[2001:0:7f00:1::]:PORT/',
  'https://[2001:0:4136:e378:8000:63bf:80ff:fffe]:PORT/',
  'https://[2600::5efe:7f00:1]:PORT/',
  // Private and other networks that are not the internet.
  'https://10.0.0.1:PORT/',
  'https://10.255.255.255/',
  'https://172.16.0.1:PORT/',
  'https://172.31.255.254:PORT/',
  'https://192.168.0.1:PORT/',
  'https://100.64.0.1:PORT/',
  'https://192.0.0.1:PORT/',
  'https://192.0.2.1:PORT/',
  'https://192.88.99.1:PORT/',
  'https://198.18.0.1:PORT/',
  'https://198.51.100.1:PORT/',
  'https://203.0.113.1:PORT/',
  'https://224.0.0.1:PORT/',
  'https://240.0.0.1:PORT/',
  'https://255.255.255.255:PORT/',
  'https://[fc00::1]:PORT/',
  'https://[fd12:3456:789a::1]:PORT/',
  'https://[fec0::1]:PORT/',
  'https://[ff02::1]:PORT/',
  'https://[100::1]:PORT/',
  'https://[2001:db8::1]:PORT/',
  'https://[3fff::1]:PORT/',
  'https://[5f00::1]:PORT/',
  'https://[::ffff:10.0.0.1]:PORT/',
  'https://[::ffff:8.8.8.8]:PORT/',
  // Link-local, and what clouds tell their machines.
  'https://169.254.1.1:PORT/',
  'https://[fe80::1]:PORT/',
  'https://[fe80::1%25lo]:PORT/',
  'http://169.254.169.254/latest/meta-data/iam/security-credentials/',
  'https://169.254.169.254/latest/meta-data/',
  'https://2852039166/latest/meta-data/',
  'https://0xa9fea9fe/',
  'https://0251.0376.0251.0376/',
  'https://169.254.170.2/v2/credentials',
  'https://[fd00:ec2::254]/latest/meta-data/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://[64:ff9b::a9fe:a9fe]/',
  'https://100.100.100.200/latest/meta-data/',
  'https://192.0.0.192/latest/',
  'https://168.63.129.16/machine?comp=goalstate',
  // Odd ports, and what stands before a host.
  'https://127.0.0.1:22/',
  'https://127.0.0.1:25/',
  'https://127.0.0.1:6379/',
  'https://127.0.0.1:443/',
  'https://public.example@127.0.0.1:PORT/',
  'https://user:secret@127.0.0.1:PORT/',
  'https://127.0.0.1:PORT@127.0.0.1:PORT/',
  'https://127.0.0.1:PORT#@public.example/',
  'https://127.0.0.1:PORT\\@public.example/',
  'https:127.0.0.1:PORT/',
  'https:////127.0.0.1:PORT/',
  'https://\t127.0.0.1\n:PORT/',
  // No such thing as a request.
  'ftp://127.0.0.1:PORT/',
  'gopher://127.0.0.1:PORT/_x',
  'file:///etc/passwd',
  'ws://127.0.0.1:PORT/',
  'unix:/var/run/docker.sock',
  'http+unix://%2Fvar%2Frun%2Fdocker.sock/',
];

/** Names, and where they lead. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'https://localhost:PORT/': ['127.0.0.1'],
  'https://LOCALHOST:PORT/': ['127.0.0.1'],
  'https://localhost.:PORT/': ['127.0.0.1', '::1'],
  'https://any.localhost:PORT/': ['127.0.0.1'],
  'https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/': ['127.0.0.1'],
  'https://127.0.0.1.nip.example:PORT/': ['127.0.0.1'],
  'https://7f000001.nip.example:PORT/': ['127.0.0.1'],
  'https://10-0-0-1.nip.example:PORT/': ['10.0.0.1'],
  'https://router.example:PORT/': ['192.168.1.1'],
  'https://tailnet.example:PORT/': ['100.64.1.1'],
  'https://loop6.example:PORT/': ['::1'],
  'https://mapped.example:PORT/': ['::ffff:127.0.0.1'],
  'https://nat64.example:PORT/': ['64:ff9b::7f00:1'],
  'https://6to4.example:PORT/': ['2002:7f00:1::1'],
  'https://teredo.example:PORT/': ['2001:0:7f00:1::1'],
  'https://zone.example:PORT/': ['fe80::1%lo'],
  'https://zero.example:PORT/': ['0.0.0.0'],
  'https://any6.example:PORT/': ['::'],
  'https://multicast.example:PORT/': ['224.0.0.1'],
  'https://first-public.example:PORT/': ['1.1.1.1', '127.0.0.1'],
  'https://last-public.example:PORT/': ['127.0.0.1', '1.1.1.1'],
  'https://only-6-is-private.example:PORT/': ['1.1.1.1', 'fd12::1'],
  'https://metadata.google.internal/computeMetadata/v1/': ['169.254.169.254'],
  'https://METADATA.google.internal./computeMetadata/v1/': ['169.254.169.254'],
  'https://instance-data.ec2.internal/latest/': ['169.254.169.254'],
  'https://cloud.example/latest/meta-data/': ['169.254.169.254'],
  'https://cloud6.example/latest/meta-data/': ['fd00:ec2::254'],
  'https://database.internal:5432/': ['10.0.0.5'],
  'https://kubernetes.default.svc/api/': ['10.96.0.1'],
};

export const HOSTILE_URLS: readonly HostileUrl[] = [
  ...PLAIN.map((url) => ({ url })),
  ...Object.entries(NAMES).map(([url, addresses]) => ({ url, addresses })),
];

/** As the resolver of somebody who means harm: every name of the table leads where the table says. */
export async function resolveHostile(host: string): Promise<readonly string[]> {
  const name = host.toLowerCase();
  const found = HOSTILE_URLS.find((one) => one.addresses && hostOf(one.url) === name)?.addresses;
  if (!found) throw Object.assign(new Error('There is no such name.'), { code: 'ENOTFOUND' });
  return found;
}

function hostOf(url: string): string {
  return new URL(url.replaceAll(PORT, '1')).hostname;
}
