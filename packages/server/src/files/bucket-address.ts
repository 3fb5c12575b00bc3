/** `s3://key:secret@host/bucket?region=..&endpoint=..`, as an operator writes it. */
const REGION_DEFAULT = 'us-east-1';
const KNOWN_OPTIONS: ReadonlySet<string> = new Set(['region', 'endpoint']);
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;

export interface BucketAddress {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Scheme and host. The bucket stands in the path. */
  readonly endpoint: string;
  readonly name: string;
  readonly region: string;
}

/** What is wrong with an address, a sentence without its secrets. */
export class BucketAddressError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BucketAddressError';
  }
}

/** The host is spoken to over TLS; only an `endpoint` that says so is spoken to without. */
export function parseBucketAddress(text: string): BucketAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 's3:') throw new BucketAddressError('must begin with s3://');
  if (url.username === '' || url.password === '')
    throw new BucketAddressError('must have a key and a secret, as s3://key:secret@host/bucket');
  const unknown = [...url.searchParams.keys()].find((name) => !KNOWN_OPTIONS.has(name));
  if (unknown !== undefined) throw new BucketAddressError('takes no options but region and endpoint');
  const name = url.pathname.replace(/^\/|\/$/g, '');
  if (!BUCKET.test(name)) throw new BucketAddressError('must name one bucket behind the host');
  return {
    accessKeyId: decoded(url.username),
    secretAccessKey: decoded(url.password),
    endpoint: endpointOf(url),
    name,
    region: url.searchParams.get('region') || REGION_DEFAULT,
  };
}

function endpointOf(url: URL): string {
  const given = url.searchParams.get('endpoint') || `https://${url.host}`;
  const endpoint = URL.canParse(given) ? new URL(given) : null;
  const isPlain = endpoint?.pathname === '/' && endpoint.search === '' && endpoint.username === '';
  if (!endpoint || !isPlain || !/^https?:$/.test(endpoint.protocol) || endpoint.host === '') {
    throw new BucketAddressError('must have a host, or an endpoint such as https://s3.example.com');
  }
  return endpoint.origin;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new BucketAddressError('must have its key and secret percent-encoded');
  }
}
