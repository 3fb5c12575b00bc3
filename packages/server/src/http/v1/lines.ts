import type { LineRegistry } from '../../lines/registry.ts';
import { isVisible, mayUse } from '../../lines/resolve.ts';
import { lineBody } from '../../wire/v1.ts';
import { list, type Route, route } from '../route.ts';

export function lineRoutes(deps: { readonly registry: LineRegistry }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/lines',
      scope: 'lines:read',
      async handle({ caller }) {
        const lines = deps.registry.all().filter((line) => isVisible(caller, line) && mayUse(caller, line));
        return list(lines.map(lineBody));
      },
    }),
  ];
}
