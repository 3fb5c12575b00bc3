/** `trunkline listen --forward-to URL`: the account's events as webhook deliveries, without a public address. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { followEvents } from '../event-stream.ts';
import { usageFailure } from '../failure.ts';
import { forwardEvent } from '../forwarder.ts';
import { openListenPlace } from '../listen-place.ts';
import { formatMoment } from '../moment.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';

const SECRET_BYTES = 32;

interface ListenOptions {
  readonly forwardTo: string;
  readonly events?: string;
  readonly from?: string;
  readonly secret?: string;
  readonly resume?: boolean;
}

export function addListenCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('listen')
    .summary('forward events to a local receiver, as signed webhooks')
    .description('Forwards events to a receiver on this machine, in order and signed as a webhook delivery is.')
    .requiredOption('--forward-to <url>', 'where to post each event')
    .option('--events <names>', 'only these events, with commas between them')
    .option('--from <line>', 'only the events of this line (handle or ln_ id)')
    .option('--secret <secret>', "sign with this secret instead of the profile's own")
    .option('--resume', 'go on where the last run for this receiver stopped, instead of now')
    .action(async (options: ListenOptions, command: Command) => {
      await listen(openSession(surroundings, command), options);
    });
}

async function listen(session: Session, options: ListenOptions): Promise<void> {
  const { api, terminal, now, wait, isJson } = session;
  const { note } = terminal;
  const url = receiverUrl(options.forwardTo);
  const secret = options.secret ?? keptSecret(session);
  const filter = { from: options.from ?? '', events: options.events ?? '' };
  const place = openListenPlace(session, { server: api.url, forward_to: url, ...filter });
  const after = options.resume === true ? place.read() : null;
  const query = { from: options.from, events: options.events };
  let isAnnounced = false;
  for await (const { cursor, event } of followEvents(api, { query, after, wait, note })) {
    if (!isAnnounced) announce(session, url, options.secret === undefined ? secret : null, after);
    isAnnounced = true;
    if (event !== null) {
      const done = await forwardEvent({ url, secret, now, wait, note }, cursor, event);
      const { deliveryId, status, attempts, tookMs } = done;
      const seen = { delivery_id: deliveryId, event: event.type, status, attempts, took_ms: tookMs };
      if (isJson) terminal.printJson(seen);
      else terminal.print(`${formatMoment(now())}  ${event.type}  ${deliveryId}  ${status}  ${tookMs} ms`);
    }
    // Only now: whoever resumes from here has missed nothing.
    place.keep(cursor);
  }
}

function announce({ api, terminal }: Session, url: string, secret: string | null, after: string | null): void {
  terminal.note(`Forwarding events of ${api.url} to ${url}, ${after === null ? 'from now on' : `after ${after}`}.`);
  if (secret !== null) terminal.note(`They are signed with ${secret}`);
  terminal.note('Ctrl-C ends it.');
}

/** Made once for a profile: a receiver is set up with it once. */
function keptSecret({ file, profile }: Session): string {
  const { listenSecret } = file.read(profile);
  if (listenSecret !== null) return listenSecret;
  const made = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
  file.update(profile, { listenSecret: made });
  return made;
}

function receiverUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw usageFailure(`--forward-to takes an http or https URL.`);
  return url.href;
}
