/** What a bot of the Chat SDK remembers, in memory: the least that its interface asks for. Nothing runs out. */
import type { Lock, QueueEntry, StateAdapter } from 'chat';

export function createMemoryState(): StateAdapter {
  const values = new Map<string, unknown>();
  const lists = new Map<string, unknown[]>();
  const queues = new Map<string, QueueEntry[]>();
  const locks = new Map<string, Lock>();
  const subscribed = new Set<string>();
  let count = 0;
  const holds = ({ threadId, token }: Lock) => locks.get(threadId)?.token === token;
  return {
    connect: async () => undefined,
    disconnect: async () => undefined,
    async acquireLock(threadId, ttlMs) {
      if (locks.has(threadId)) return null;
      const lock = { threadId, token: String(++count), expiresAt: Date.now() + ttlMs };
      locks.set(threadId, lock);
      return lock;
    },
    extendLock: async (lock) => holds(lock),
    async releaseLock(lock) {
      if (holds(lock)) locks.delete(lock.threadId);
    },
    async forceReleaseLock(threadId) {
      locks.delete(threadId);
    },
    async enqueue(threadId, entry, maxSize) {
      const queue = [...(queues.get(threadId) ?? []), entry].slice(-maxSize);
      queues.set(threadId, queue);
      return queue.length;
    },
    dequeue: async (threadId) => queues.get(threadId)?.shift() ?? null,
    queueDepth: async (threadId) => queues.get(threadId)?.length ?? 0,
    async appendToList(key, value, options) {
      const list = [...(lists.get(key) ?? []), value];
      lists.set(key, options?.maxLength === undefined ? list : list.slice(-options.maxLength));
    },
    // Whoever reads a value knows what it was: that is the interface's promise, not one of this map.
    getList: async <T>(key: string) => (lists.get(key) ?? []) as T[],
    get: async <T>(key: string) => (values.get(key) ?? null) as T | null,
    async set(key, value) {
      values.set(key, value);
    },
    async setIfNotExists(key, value) {
      if (values.has(key)) return false;
      values.set(key, value);
      return true;
    },
    async delete(key) {
      values.delete(key);
    },
    async subscribe(threadId) {
      subscribed.add(threadId);
    },
    async unsubscribe(threadId) {
      subscribed.delete(threadId);
    },
    isSubscribed: async (threadId) => subscribed.has(threadId),
  };
}
