/** The lines of a key in the manner of Sendblue: their numbers alone. */
import type { LineRegistry } from '../../lines/registry.ts';
import { usableLines } from '../../lines/resolve.ts';
import { type Route, route } from '../route.ts';

export function sendblueLineRoutes(deps: { readonly registry: LineRegistry }): Route[] {
  return [
    route({
      name: 'sendblueListLines',
      summary: 'Lists the numbers of the lines that the key may use.',
      answer: 'SendblueLines',
      method: 'GET',
      path: '/api/lines',
      scope: 'lines:read',
      async handle({ caller }) {
        return { numbers: usableLines(deps.registry, caller).map(({ handle }) => handle) };
      },
    }),
  ];
}
