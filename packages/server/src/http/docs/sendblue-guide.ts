/** What the document of the Sendblue dialect says in words. */
import type { Route } from '../route.ts';
import { type About, describe } from './guide.ts';

const SUMMARY = 'The API of Sendblue, served by your own lines: set the `baseURL` of its client to this server.';

/** `rows`: those of the dialect, with what is not served. */
export function aboutSendblue(rows: readonly Route[]): About {
  const unserved = rows.filter((row) => !row.isServed).map(({ method, path }) => `- \`${method} ${path}\``);
  return {
    title: "Trunkline: Sendblue's API",
    version: 'v2',
    summary: SUMMARY,
    description: describe(SUMMARY, [
      {
        title: 'Authentication',
        text: 'Send the id of your API key (`key_...`) as `sb-api-key-id`, and the key itself (`sk_live_...`) as `sb-api-secret-key`. It is the same key as everywhere else on this server: scopes, lines and rate limits hold. Each operation names the scope that it needs.',
      },
      {
        title: 'Requests',
        text: 'Bodies are JSON, or forms. `""` counts as absent, and unknown fields are ignored. A POST may carry an `Idempotency-Key`; one with `x-stainless-retry-count` above 0 is given the answer that the same request had within the last two minutes.',
      },
      {
        title: 'Errors',
        text: 'A refusal is `{status: "ERROR", message, error_message, error_code, error_reason}`. `error_code` is 4000 for what is wrong with the request, 4001 for too many requests, 5000 for a fault of the server; `error_reason` names the refusal. What must not be repeated has the header `x-should-retry: false`.',
      },
      {
        title: 'What is not served',
        text: ['These are answered 501 with a valid key, and do nothing:', '', ...unserved].join('\n'),
      },
    ]),
    isWhole: false,
  };
}
