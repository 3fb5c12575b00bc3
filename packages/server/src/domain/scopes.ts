/** What an API key may be allowed to do. */

export const API_SCOPES = [
  'messages:read',
  'messages:write',
  'chats:read',
  'lines:read',
  'reactions:read',
  'reactions:write',
  'typing:read',
  'typing:write',
  'receipts:read',
  'receipts:write',
  'webhooks:read',
  'webhooks:write',
  'outbox:read',
  'files:read',
  'files:write',
] as const;

/** Beyond the API: the simulator's phones, and the administration of the own account. */
const EXTRA_SCOPES = ['simulator:write', 'admin'] as const;

export const SCOPES = [...API_SCOPES, ...EXTRA_SCOPES] as const;
export type Scope = (typeof SCOPES)[number];

export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
