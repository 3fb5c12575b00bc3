/** Runs the server for an operator: reads the configuration, starts it, says where it is, and stops it when asked to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from './clock.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { noFailpoints } from './domain/failpoint.ts';
import { FIRST_LINE, FIRST_PHONE } from './first-start.ts';
import { createLog } from './log.ts';
import { createServer } from './server.ts';

const STOP_WITHIN_MS = 10_000;
/** Between the order to stop and the closing of idle connections: their clients learn of it with their next answer. */
const REFUSE_FOR_MS = 250;
/** What leaves before a server without a trustworthy database ends: the refusals of those who wait. */
const LAST_ANSWERS_MS = 250;
const EXIT_USAGE = 2;
const EXIT_BROKEN = 74;

export interface RunOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** In [0, 1). */
  readonly random: () => number;
}

export async function run(options: RunOptions): Promise<void> {
  const config = configOrExit(options.environment);
  const log = createLog(config.logLevel, process.stderr.isTTY === true);
  const server = await createServer({
    config,
    clock: systemClock,
    log,
    failpoint: noFailpoints,
    random: options.random,
  });
  const address = await server.listen();

  let asked = false;
  const stop = () => {
    if (asked) process.exit(1);
    asked = true;
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    server.refuseRequests();
    sleep(address === null ? 0 : REFUSE_FOR_MS)
      .then(() => server.stop())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'the server did not stop cleanly');
          process.exit(1);
        },
      );
  };
  void server.broken.then(async (error) => {
    log.error({ err: error }, 'the database cannot be trusted any more: the server ends');
    await sleep(LAST_ANSWERS_MS);
    console.error(error.message);
    process.exit(EXIT_BROKEN);
  });
  // Before it says that it is ready: whoever reads that may stop it at once.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  log.info({ address, roles: config.roles, database: server.engine.kind }, 'ready');
  if (address !== null) greetOperator(address, server.firstKey, config);
}

function configOrExit(environment: RunOptions['environment']): Config {
  try {
    return readConfig(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return process.exit(EXIT_USAGE);
  }
}

function greetOperator(address: string, firstKey: string | null, config: Config): void {
  console.log(`Trunkline listens on ${address}`);
  if (firstKey === null) return;
  console.log(`\nYour API key, shown this once:\n\n  ${firstKey}\n`);
  if (!config.simulator) return;
  console.log(`Send a message to the simulated phone ${FIRST_PHONE}:\n
  curl -X POST ${address}/v1/messages \\
    -H 'Authorization: Bearer ${firstKey}' \\
    -H 'Content-Type: application/json' \\
    -d '{"from": "${FIRST_LINE}", "to": "${FIRST_PHONE}", "text": "Hello from Trunkline"}'

See it arrive:\n
  curl -H 'Authorization: Bearer ${firstKey}' \\
    ${address}/simulator/v1/phones/${encodeURIComponent(FIRST_PHONE)}/messages\n`);
}
