/** `openapi/v1.json` and `openapi/sendblue.json`: the documents of `/v1` and `/api`, made from the rows of a server that never listens. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock } from '../src/clock.ts';
import { readConfig } from '../src/config.ts';
import { noFailpoints } from '../src/domain/failpoint.ts';
import { createDocument } from '../src/http/docs/document.ts';
import { aboutSendblue } from '../src/http/docs/sendblue-guide.ts';
import type { Route } from '../src/http/route.ts';
import { createLog } from '../src/log.ts';
import { createServer } from '../src/server.ts';

export const OPENAPI_FILE = resolve(import.meta.dirname, '../../../openapi/v1.json');
export const SENDBLUE_FILE = resolve(import.meta.dirname, '../../../openapi/sendblue.json');

export async function openApiTexts(): Promise<{ readonly v1: string; readonly sendblue: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const config = readConfig({ TRUNKLINE_DATA_DIR: folder, TRUNKLINE_LOG_LEVEL: 'silent', TRUNKLINE_ROLES: 'api' });
  const log = createLog(config.logLevel, false);
  const server = await createServer({ config, clock: systemClock, log, failpoint: noFailpoints, random: Math.random });
  try {
    return { v1: documentText(server.routes), sendblue: sendblueText(server.routes) };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

export function documentText(routes: readonly Route[]): string {
  const rows = routes.filter((row) => row.path.startsWith('/v1/'));
  return `${JSON.stringify(createDocument(rows, null), null, 2)}\n`;
}

export function sendblueText(routes: readonly Route[]): string {
  const rows = routes.filter((row) => row.path.startsWith('/api/'));
  return `${JSON.stringify(createDocument(rows, null, aboutSendblue(rows)), null, 2)}\n`;
}
