/** The TypeScript client of Trunkline. */

/** The events that a webhook of a messages.dev client knows. */
export const WEBHOOK_EVENT_NAMES = ['message.received', 'message.sent', 'reaction.added', 'reaction.removed'] as const;
