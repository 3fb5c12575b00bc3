/** `trunkline events`: the event stream, a line for each event. */
import type { Command } from 'commander';
import { followEvents, type StreamedEvent } from '../event-stream.ts';
import { textOf } from '../fields.ts';
import { formatMoment } from '../moment.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { toPlainText } from '../terminal.ts';

interface EventsOptions {
  readonly from?: string;
  readonly events?: string;
  readonly after?: string;
}

export function addEventsCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('events')
    .summary('follow what happens, as it happens')
    .description('Follows the event stream, and takes it up again after a lost connection without losing an event.')
    .option('--from <line>', 'only the events of this line (handle or ln_ id)')
    .option('--events <names>', 'only these events, with commas between them')
    .option('--after <cursor>', 'begin after this cursor instead of now')
    .action(async (options: EventsOptions, command: Command) => {
      await showEvents(openSession(surroundings, command), options);
    });
}

async function showEvents({ api, terminal, wait, isJson }: Session, options: EventsOptions): Promise<void> {
  const { from, events, after = null } = options;
  for await (const place of followEvents(api, { query: { from, events }, after, wait, note: terminal.note })) {
    if (place.event === null) continue;
    const { type, data, timestamp } = place.event;
    if (isJson) terminal.printJson({ id: place.cursor, event: type, data, timestamp });
    else terminal.print(lineOf(place.cursor, place.event));
  }
}

function lineOf(cursor: string, { type, data, timestamp }: StreamedEvent): string {
  const about = [textOf(data, 'line_handle'), textOf(data, 'sender'), textOf(data, 'text')];
  const words = [formatMoment(timestamp), cursor, type, ...about.filter((word) => word !== null)];
  return words.map(toPlainText).join('  ');
}
