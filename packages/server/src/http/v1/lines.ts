import type { LineRegistry } from '../../lines/registry.ts';
import { usableLines } from '../../lines/resolve.ts';
import { lineBody } from '../../wire/v1.ts';
import { list, type Route, route } from '../route.ts';

export function lineRoutes(deps: { readonly registry: LineRegistry }): Route[] {
  return [
    route({
      name: 'listLines',
      summary: 'Lists the lines that the key may use.',
      description:
        "The account's own lines and the sandbox line. A key that is limited to some lines sees those alone.",
      answer: 'Line[]',
      method: 'GET',
      path: '/v1/lines',
      scope: 'lines:read',
      async handle({ caller }) {
        return list(usableLines(deps.registry, caller).map(lineBody));
      },
    }),
  ];
}
