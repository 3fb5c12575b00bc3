import { MessagesError } from '../src/index.ts';

/** What a call was refused with. A call that was not refused, or threw something else, fails the test. */
export async function refusalOf(call: Promise<unknown>): Promise<MessagesError> {
  const outcome = await call.then(
    (value) => new Error(`It was not refused: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (outcome instanceof MessagesError) return outcome;
  throw outcome;
}
