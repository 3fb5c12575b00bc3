/** What an API's manner of speaking comes to: how a request names its key, and what answers and refusals look like. */
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from '../domain/errors.ts';
import { sendblueErrorBody, sendblueStatus } from '../wire/sendblue.ts';
import { errorBody, errorStatus } from '../wire/v1.ts';

/** What a request says of its key. */
export interface Credentials {
  /** As in an Authorization header. */
  readonly authorization: string | undefined;
  /** The key's public id, where it has to be named as well. */
  readonly keyId: string | null;
}

export interface Dialect {
  /** Throws where less is said than there must be. */
  credentialsOf(headers: IncomingHttpHeaders): Credentials;
  /** The whole answer, made of what a handler gave. */
  answerBody(result: Readonly<Record<string, unknown>>, requestId: string): Readonly<Record<string, unknown>>;
  errorStatus(error: ApiError): number;
  errorBody(error: ApiError, requestId: string): Readonly<Record<string, unknown>>;
  /**
   * Which try of a request this is, where its clients say so: a repeat is given the answer that the first one had. Null
   * where they do not.
   */
  attemptOf(headers: IncomingHttpHeaders): 'first' | 'repeat' | null;
}

export const V1: Dialect = {
  credentialsOf: ({ authorization }) => ({ authorization, keyId: null }),
  answerBody: (result, requestId) => ({ ...result, request_id: requestId }),
  errorStatus,
  errorBody,
  attemptOf: () => null,
};

const KEY_ID = 'sb-api-key-id';
const SECRET = 'sb-api-secret-key';

/** The key is named by its id and shown whole. Their client repeats by itself and counts its repeats. */
const SENDBLUE: Dialect = {
  credentialsOf(headers) {
    const named = (name: string) => headers[name] ?? headers[`x-${name}`];
    const [id, secret] = [named(KEY_ID), named(SECRET)];
    if (typeof id === 'string' && typeof secret === 'string' && id !== '' && secret !== '') {
      return { authorization: `Bearer ${secret}`, keyId: id };
    }
    const message = `Send the id of your API key (key_...) as "${KEY_ID}" and the key itself (sk_live_...) as "${SECRET}".`;
    throw new ApiError('missing_api_key', { message });
  },
  answerBody: (result) => result,
  errorStatus: sendblueStatus,
  errorBody: sendblueErrorBody,
  attemptOf: (headers) => (Number(headers['x-stainless-retry-count'] ?? 0) > 0 ? 'repeat' : 'first'),
};

export const SENDBLUE_PREFIX = '/api';

/** By the path of a request, or of a row. */
export function dialectAt(path: string): Dialect {
  return path.startsWith(`${SENDBLUE_PREFIX}/`) ? SENDBLUE : V1;
}
