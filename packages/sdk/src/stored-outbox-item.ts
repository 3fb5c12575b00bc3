import type { OutboxItem } from './resources.ts';

/** An outbox item as `getOutboxItem` and `waitForOutbox` give it: whole. */
export type StoredOutboxItem = { [Key in keyof OutboxItem]-?: Exclude<OutboxItem[Key], undefined> };
