/** What an empty database gets: an account, its key, a simulated line whose phone has written already, the sandbox line. */
import type { SimulatorNetwork } from '@trunkline/drivers';
import { displayPrefix, hashKey, makeKey } from './access/keys.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Ids } from './domain/ids.ts';
import type { Line } from './domain/line.ts';
import { SCOPES } from './domain/scopes.ts';
import { createHeard } from './lines/heard.ts';
import { hasAnyKey } from './store/accounts.ts';
import type { Engine } from './store/database.ts';
import { createFirstInstallation } from './store/first-installation.ts';
import type { NewLine } from './store/lines.ts';
import type { Writer } from './store/writer.ts';

export const FIRST_LINE = '+15550100001';
export const FIRST_PHONE = '+15550109999';
/** Names the first phone's greeting, so that it is written once however often a start is cut short. */
const GREETING_GUID = '00000000-0000-4000-8000-000000000001';
/** A first `curl` must not be refused because the greeting is still on its way. */
const HEARD_WITHIN_MS = 3_000;
const GREETING = 'Hello! I am a simulated phone. Send me something.';

export interface FirstStartDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** Gives the key that was made, to be shown once; null when there was one already or it was given. */
export async function prepareFirstStart(deps: FirstStartDeps, config: Config): Promise<string | null> {
  if (await hasAnyKey(deps.engine)) return null;
  const { writer, ids } = deps;
  const now = deps.clock.now();
  const key = config.bootstrapApiKey ?? makeKey(deps.randomBytes);
  const isOurs = await writer.write(createFirstInstallation, {
    account: { id: ids.make('account'), ownerEmail: config.ownerEmail, now },
    key: {
      id: ids.make('key'),
      name: 'First key',
      prefix: displayPrefix(key),
      hash: hashKey(key),
      scopes: SCOPES,
      lineRefs: null,
      expiresAt: null,
      rateLimitPerHour: config.rateLimitPerHour,
      now,
    },
    lines: firstLines(deps, config, now),
  });
  return isOurs && config.bootstrapApiKey === null ? key : null;
}

/** The phone's first text, so that the line may answer it. Resolves when the line has heard it, where it runs here. */
export async function greet(
  network: SimulatorNetwork,
  engine: Engine,
  clock: Clock,
  line: Line | undefined,
): Promise<void> {
  if (!line?.isActive) return;
  const greeting = await network.text({ from: FIRST_PHONE, to: FIRST_LINE, text: GREETING, guid: GREETING_GUID });
  if (greeting) await createHeard(engine, clock).wait(line.ref, greeting.seq, HEARD_WITHIN_MS);
}

function firstLines(deps: FirstStartDeps, config: Config, now: number): Omit<NewLine, 'accountRef'>[] {
  if (!config.simulator) return [];
  const line = (handle: string, label: string, isSandbox: boolean): Omit<NewLine, 'accountRef'> => ({
    id: deps.ids.make('line'),
    handle,
    label,
    service: 'imessage',
    kind: 'simulator',
    isActive: true,
    isSandbox,
    contactFirst: true,
    optOutKeywords: false,
    paceMs: 0,
    now,
  });
  const lines = [line(FIRST_LINE, 'Simulator', false)];
  if (config.sandboxLine !== null) lines.push(line(config.sandboxLine, 'Sandbox', true));
  return lines;
}
