/** What Sendblue's own API has and this server has not: known by its path, so that a client hears why, and does not repeat. */
import { type Method, type Route, route } from '../route.ts';

/** `:name` stands for a part that varies. */
export const UNSERVED = [
  ['POST', '/api/create-group'],
  ['POST', '/api/modify-group'],
  ['GET', '/api/v2/groups/:group_id'],
  ['POST', '/api/v2/groups/:group_id/name'],
  ['POST', '/api/v2/groups/:group_id/photo'],
  ['POST', '/api/send-carousel'],
  ['POST', '/api/messages/:message_handle/update-app-card'],
  ['DELETE', '/api/message/:message_handle'],
  ['GET', '/api/v2/contacts'],
  ['POST', '/api/v2/contacts'],
  ['DELETE', '/api/v2/contacts'],
  ['GET', '/api/v2/contacts/count'],
  ['POST', '/api/v2/contacts/bulk'],
  ['POST', '/api/v2/contacts/verify'],
  ['GET', '/api/v2/contacts/:phone_number'],
  ['PUT', '/api/v2/contacts/:phone_number'],
  ['DELETE', '/api/v2/contacts/:phone_number'],
  ['GET', '/api/v2/events'],
  ['GET', '/api/v2/lines/state'],
  ['GET', '/api/lines/:sendblue_number/call-forwarding'],
  ['PUT', '/api/lines/:sendblue_number/call-forwarding'],
  ['DELETE', '/api/lines/:sendblue_number/call-forwarding'],
  ['GET', '/api/location'],
  ['GET', '/api/location/:number'],
  ['GET', '/api/location/:number/watch'],
  ['POST', '/api/request-location'],
  ['GET', '/api/v2/seats'],
  ['GET', '/api/v2/seats/count'],
  ['GET', '/api/v2/seats/:seat_id'],
  ['GET', '/api/v2/totp/secrets'],
  ['POST', '/api/v2/totp/secrets'],
  ['DELETE', '/api/v2/totp/secrets/:secret_id'],
  ['GET', '/api/v2/totp/code/:secret_id'],
  ['POST', '/api/v2/verify/services/:service_sid/verifications'],
  ['GET', '/api/v2/verify/services/:service_sid/verifications/:verification_sid'],
  ['GET', '/api/v2/verify/verifications'],
] as const satisfies readonly (readonly [Method, string])[];

export function sendblueUnservedRoutes(): Route[] {
  return UNSERVED.map(([method, path]) =>
    route({
      name: 'sendblueUnserved',
      summary: 'Is not served.',
      answer: null,
      method,
      path,
      scope: method === 'GET' ? 'messages:read' : 'messages:write',
      isServed: false,
      handle: () => Promise.reject(new Error('A route that is not served has been handled.')),
    }),
  );
}
