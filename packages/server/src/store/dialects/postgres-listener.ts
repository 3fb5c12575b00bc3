/** LISTEN/NOTIFY: wakes this process at once and the others by a notification; a poll stands behind it everywhere. */
import pg from 'pg';
import { channelOf } from './postgres-log.ts';

const RECONNECT_MS = 500;

export interface Listener {
  wakeHere(topics: readonly string[]): void;
  onWake(listener: (topic: string) => void): () => void;
  close(): Promise<void>;
}

/** `identity` names this process in its notifications, so that it does not wake itself twice. */
export async function createListener(pool: pg.Pool, schema: string, identity: string): Promise<Listener> {
  const listeners = new Set<(topic: string) => void>();
  let client: pg.PoolClient | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  function wakeHere(topics: readonly string[]): void {
    for (const topic of new Set(topics)) for (const listener of listeners) listener(topic);
  }

  function onNotification(payload: string | undefined): void {
    const heard = parsePayload(payload);
    if (heard && heard.from !== identity) wakeHere(heard.topics);
  }

  async function connect(): Promise<void> {
    const fresh = await pool.connect();
    fresh.on('notification', (message) => onNotification(message.payload));
    fresh.on('error', () => lose(fresh));
    fresh.on('end', () => lose(fresh));
    try {
      await fresh.query(`listen ${pg.escapeIdentifier(channelOf(schema))}`);
    } catch (error) {
      // It would be missing from the pool for good.
      fresh.release(true);
      throw error;
    }
    client = fresh;
  }

  /** A lost connection is made again; what was missed meanwhile the polls find. */
  function lose(lost: pg.PoolClient): void {
    if (client !== lost) return;
    client = null;
    lost.release(true);
    again();
  }

  function again(): void {
    if (closed || timer) return;
    timer = setTimeout(() => {
      timer = null;
      connect().catch(again);
    }, RECONNECT_MS);
    timer.unref();
  }

  await connect();
  return {
    wakeHere,
    onWake(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      if (timer) clearTimeout(timer);
      const last = client;
      client = null;
      last?.release(true);
    },
  };
}

function parsePayload(payload: string | undefined): { from: string; topics: string[] } | null {
  if (payload === undefined) return null;
  const parsed: unknown = JSON.parse(payload);
  if (typeof parsed !== 'object' || parsed === null || !('from' in parsed) || !('topics' in parsed)) return null;
  const { from, topics } = parsed;
  if (typeof from !== 'string' || !Array.isArray(topics)) return null;
  return { from, topics: topics.filter((topic): topic is string => typeof topic === 'string') };
}
