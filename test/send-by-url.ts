/** A door of the tests' own, by which the load sends files that are fetched first: accepted as any send is. */
import type { ReachFailpoint, Server } from '../packages/server/src/index.ts';
import { systemClock } from '../packages/server/src/index.ts';
import { enqueue } from '../packages/server/src/outbox/enqueue.ts';
import { readLines } from '../packages/server/src/store/lines.ts';

export const SEND_BY_URL = '/test/send-by-url';

interface Body {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly url: string;
}

export function sendByUrl({ app, engine, writer }: Server, failpoint: ReachFailpoint): void {
  const mayBeCold = () => true;
  app.post<{ Body: Body }>(SEND_BY_URL, async ({ body: { id, from, to, url } }, reply) => {
    const line = (await readLines(engine)).find(({ handle }) => handle === from);
    if (!line) throw new Error('There is no such line.');
    const nothing = () => undefined;
    await enqueue(
      { writer, clock: systemClock, failpoint, mayBeCold },
      {
        id,
        ticket: { guard: null, begun: nothing, committed: nothing },
        accountRef: line.accountRef,
        line,
        to: to.startsWith('cht_') ? { kind: 'chat', id: to } : { kind: 'handle', handle: to },
        payload: { kind: 'message', from, to },
        details: { fetch: { url } },
      },
    );
    return reply.code(201).send({ id });
  });
}
