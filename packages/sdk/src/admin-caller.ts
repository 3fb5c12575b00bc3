/** How the operator's methods ask: a list, or one resource, with the client's keys on both ways. */
import type { CallOptions, Connection } from './client-config.ts';
import { toSnakeCaseKeys } from './key-case.ts';
import { type PagePromise, pages, resource } from './page.ts';
import { call, type Method, type RequestDetail } from './transport.ts';

export function caller(connection: Connection) {
  return {
    list: <T>(path: string, params: NonNullable<RequestDetail['query']>, options?: CallOptions): PagePromise<T> =>
      pages((cursor) => {
        const query = cursor === null ? params : { ...params, cursor };
        return call(connection, { method: 'GET', path, query }, options);
      }, true),
    send: async <T>(method: Method, path: string, params: unknown, options?: CallOptions): Promise<T> => {
      const json = params === undefined ? {} : { json: toSnakeCaseKeys(params) };
      return resource<T>(await call(connection, { method, path, ...json }, options));
    },
  };
}
