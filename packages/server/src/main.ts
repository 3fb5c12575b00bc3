/** `npm start`: reads the configuration, starts the server, and stops it when asked to. */
import { systemClock } from './clock.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { noFailpoints } from './domain/failpoint.ts';
import { FIRST_LINE, FIRST_PHONE } from './first-start.ts';
import { createLog } from './log.ts';
import { createServer } from './server.ts';

const STOP_WITHIN_MS = 10_000;
const EXIT_USAGE = 2;

async function main(): Promise<void> {
  const config = configOrExit();
  const log = createLog(config.logLevel, process.stderr.isTTY === true);
  const server = await createServer({
    config,
    clock: systemClock,
    log,
    failpoint: noFailpoints,
    random: Math.random,
  });
  const address = await server.listen();
  log.info({ address, roles: config.roles, database: server.engine.kind }, 'ready');
  if (address !== null) greetOperator(address, server.firstKey, config);

  let asked = false;
  const stop = () => {
    if (asked) process.exit(1);
    asked = true;
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'the server did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function configOrExit(): Config {
  try {
    return readConfig(process.env);
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

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
