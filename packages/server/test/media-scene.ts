/** Sends of files by their URL, accepted as every dialect accepts them. */
import { systemClock } from '../src/clock.ts';
import { noFailpoints } from '../src/domain/failpoint.ts';
import { enqueue } from '../src/outbox/enqueue.ts';
import { readLines } from '../src/store/lines.ts';
import type { Ticket } from '../src/store/ticket.ts';
import { LINE, PHONE, type TestServer } from './harness.ts';

export const TICKET: Ticket = { guard: null, begun: () => undefined, committed: () => undefined };

let count = 0;

/** Gives the item's id. */
export async function sendUrl(
  test: TestServer,
  url: string,
  { to = PHONE, text }: { to?: string; text?: string } = {},
): Promise<string> {
  const { engine, writer } = test.server;
  const line = (await readLines(engine)).find(({ handle }) => handle === LINE);
  if (!line) throw new Error('There is no such line.');
  const id = `obx_media_${++count}`;
  await enqueue(
    { writer, clock: systemClock, failpoint: noFailpoints, mayBeCold: () => true },
    {
      id,
      ticket: TICKET,
      accountRef: line.accountRef,
      line,
      to: { kind: 'handle', handle: to },
      payload: { kind: 'message', from: LINE, to, ...(text !== undefined && { text }) },
      details: { fetch: { url } },
    },
  );
  return id;
}

/** The item's row, which says more than the API does. */
export async function itemOf(test: TestServer, id: string) {
  return test.server.engine.query.selectFrom('outbox').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

export async function filesOf(test: TestServer) {
  return test.server.engine.query.selectFrom('files').selectAll().orderBy('ref').execute();
}
