/** Lists: one page, and the iteration over all of them. */
import { asFields, type Fields } from './answer.ts';
import { toCamelCaseKeys } from './key-case.ts';

/** One page of a list. `for await` goes over all items of this page and of those that follow. */
export interface PaginatedResponse<T> extends AsyncIterable<T> {
  data: T[];
  hasMore: boolean;
  /** Null on the last page. */
  nextCursor: string | null;
  requestId: string;
}

/** A list that was asked for: `await` gives the first page, `for await` goes over all items without one. */
export interface PagePromise<T> extends Promise<PaginatedResponse<T>>, AsyncIterable<T> {}

/** Asks for the first page (null), or for the one at a cursor. */
export type ReadPage = (cursor: string | null) => Promise<Fields>;

/** `isPaged` is false for lists that are whole: whatever they say, they are asked for once. */
export function pages<T>(read: ReadPage, isPaged: boolean): PagePromise<T> {
  const first = readPage<T>(read, null, isPaged);
  return Object.assign(first, {
    async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
      yield* await first;
    },
  });
}

async function readPage<T>(read: ReadPage, cursor: string | null, isPaged: boolean): Promise<PaginatedResponse<T>> {
  const page = pageOf<T>(await read(cursor));
  return withIterator(page, async function* () {
    yield* page.data;
    let [at, next] = [cursor, page];
    // A cursor that leads to its own page would lead there for ever.
    while (isPaged && next.hasMore && next.nextCursor !== null && next.nextCursor !== at) {
      at = next.nextCursor;
      next = pageOf<T>(await read(at));
      yield* next.data;
    }
  });
}

type BarePage<T> = Omit<PaginatedResponse<T>, typeof Symbol.asyncIterator>;

function pageOf<T>(body: Fields): BarePage<T> {
  const data: unknown = toCamelCaseKeys(body['data']);
  return {
    data: Array.isArray(data) ? (data as T[]) : [],
    hasMore: body['has_more'] === true,
    nextCursor: typeof body['next_cursor'] === 'string' ? body['next_cursor'] : null,
    requestId: String(body['request_id'] ?? ''),
  };
}

/** The iterator is not listed, so that a page prints and compares as its four fields. */
function withIterator<T>(page: BarePage<T>, iterate: () => AsyncGenerator<T, void, undefined>): PaginatedResponse<T> {
  const iterator = { [Symbol.asyncIterator]: iterate };
  return Object.defineProperty({ ...page, ...iterator }, Symbol.asyncIterator, { enumerable: false });
}

/** One resource: the bare object, with the client's keys. */
export function resource<T>(body: Fields): T {
  return (asFields(toCamelCaseKeys(body)) ?? {}) as T;
}
