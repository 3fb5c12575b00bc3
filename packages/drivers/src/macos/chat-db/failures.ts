/** Why Messages did not send, as a sentence for a person. */

const REASONS: Readonly<Record<number, string>> = {
  3: 'Messages could not reach the network',
  4: 'Messages timed out while it was sending',
  22: 'the recipient cannot be reached by this service',
  25: 'an attachment could not be uploaded',
};

/** `error` is what the row says, never 0. */
export function failureSentence(error: number): string {
  const reason = REASONS[error] ?? 'Messages did not send it';
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)} (error ${error}).`;
}
