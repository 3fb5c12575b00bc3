/** The log's last step on PostgreSQL, as one text with its values inside, so that it can travel with COMMIT. */
import pg from 'pg';
import type { Column, LogEntry } from '../database.ts';
import { DELIVERY_COLUMNS, EVENT_COLUMNS } from '../log-rows.ts';
import { tuple } from './postgres-literals.ts';

/** Held from before the first number is drawn until after COMMIT, so that a reader never sees a gap that fills later. */
const LOG_LOCK = 7_215_001;

const CHANNEL_SUFFIX = '_wake';

export function channelOf(schema: string): string {
  return `${schema}${CHANNEL_SUFFIX}`;
}

/** Events and their deliveries in one statement; the deliveries learn their event's number by its id. */
export function logText(log: readonly LogEntry[]): string {
  if (log.length === 0) return '';
  const events = log.map((entry) => tuple(entry.event, EVENT_COLUMNS));
  const columns = Object.keys(EVENT_COLUMNS).join(', ');
  const append = `insert into events (${columns}) select * from (values ${events.join(', ')}) as e(${columns}) returning seq, id`;
  const deliveries = log.flatMap((entry) =>
    entry.deliveries.map((row) => tuple({ ...row, event_id: entry.event['id'] ?? null }, DUE_COLUMNS)),
  );
  const lock = `select pg_advisory_xact_lock(${LOG_LOCK});`;
  if (deliveries.length === 0) return `${lock}${append};`;
  const names = Object.keys(KNOWN_COLUMNS);
  return `${lock}with appended as (${append})
    insert into deliveries (${names.join(', ')}, event_seq)
    select ${names.map((name) => `d.${name}`).join(', ')}, appended.seq
    from (values ${deliveries.join(', ')}) as d(${Object.keys(DUE_COLUMNS).join(', ')})
    join appended on appended.id = d.event_id;`;
}

export function notifyText(topics: readonly string[], identity: string, schema: string): string {
  if (topics.length === 0) return '';
  const payload = JSON.stringify({ from: identity, topics: [...new Set(topics)] });
  return `select pg_notify(${pg.escapeLiteral(channelOf(schema))}, ${pg.escapeLiteral(payload)});`;
}

const { event_seq: _drawn, ...KNOWN_COLUMNS } = DELIVERY_COLUMNS;
const DUE_COLUMNS: Readonly<Record<string, Column>> = { ...KNOWN_COLUMNS, event_id: 'text' };
