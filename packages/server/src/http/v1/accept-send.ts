/** Where every send of this API ends: in the outbox, with the receipt that says so. */
import type { Ids } from '../../domain/ids.ts';
import { type EnqueueDeps, enqueue, type SendRequest } from '../../outbox/enqueue.ts';
import type { Call } from '../route.ts';

/** Throws the refusal that applies. */
export async function acceptSend(
  deps: EnqueueDeps & { readonly ids: Ids },
  { caller, ticket }: Pick<Call<unknown, unknown>, 'caller' | 'ticket'>,
  send: Pick<SendRequest, 'line' | 'to' | 'payload' | 'details'>,
): Promise<{ readonly id: string; readonly status: string }> {
  const answer = { id: deps.ids.make('outbox'), status: 'pending' };
  await enqueue(deps, { id: answer.id, accountRef: caller.accountRef, ticket: ticket(answer), ...send });
  return answer;
}
