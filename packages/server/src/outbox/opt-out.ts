/** Where a client says that a contact wants no more messages of its account, or wants them again. */
import type { Clock } from '../clock.ts';
import { type AccountContact, setOptOuts } from '../store/opt-outs.ts';
import type { Ticket } from '../store/ticket.ts';
import type { Writer } from '../store/writer.ts';

export interface OptOutDeps {
  readonly writer: Writer;
  readonly clock: Clock;
}

export interface OptOutRequest extends AccountContact {
  readonly optedOut: boolean;
  readonly ticket?: Ticket;
}

/** In force when this resolves. What was accepted before is still sent. */
export async function optOut(deps: OptOutDeps, { ticket, ...request }: OptOutRequest): Promise<void> {
  await deps.writer.write(setOptOuts, { ...request, by: 'api', now: deps.clock.now() }, ticket);
}
