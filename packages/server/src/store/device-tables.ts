/** The tables of devices and of what their agents bring, for `schema.ts`. */
import type { Generated } from 'kysely';

export interface DevicesTable {
  ref: Generated<number>;
  id: string;
  account_ref: number;
  name: string;
  prefix: string;
  token_hash: string;
  line_refs: string;
  created_at: number;
  revoked_at: number | null;
  connected_at: number | null;
  disconnected_at: number | null;
  agent: string | null;
  clock_offset_ms: number | null;
}

export interface UploadPartsTable {
  line_ref: number;
  name: string;
  start: number;
  size: number;
  blob: string;
  created_at: number;
}
