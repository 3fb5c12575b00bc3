/** From a host's name to its addresses. */
import { lookup } from 'node:dns/promises';

const LOOKUPS_MAX = 1_024;

/** Every address of the name; rejects when it has none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** As the machine resolves names, its own table of hosts included. */
export const systemLookup: Lookup = async (host) => {
  const found = await lookup(host, { all: true });
  return found.map((one) => one.address);
};

/** A name that could not be resolved, in the manner of the system's own errors. */
export class UnresolvedError extends Error {
  readonly code: 'ENOTFOUND' | 'EAI_AGAIN';

  constructor(code: UnresolvedError['code']) {
    super(`A host name did not resolve (${code}).`);
    this.name = 'UnresolvedError';
    this.code = code;
  }
}

/**
 * The machine has few threads to look up names with: a name whose servers never answer takes one of them, however many
 * ask for it meanwhile.
 */
export function joinLookups(lookup: Lookup): Lookup {
  const underWay = new Map<string, Promise<readonly string[]>>();
  return (host) => {
    const joined = underWay.get(host);
    if (joined) return joined;
    if (underWay.size >= LOOKUPS_MAX) return Promise.reject(new UnresolvedError('EAI_AGAIN'));
    const found = lookup(host)
      .then((addresses) => {
        if (addresses.length === 0) throw new UnresolvedError('ENOTFOUND');
        return addresses;
      })
      .finally(() => underWay.delete(host));
    underWay.set(host, found);
    return found;
  };
}
