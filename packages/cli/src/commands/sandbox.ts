/** `trunkline sandbox`: the account's pairing with the line that all accounts share. */
import type { Command } from 'commander';
import type { Method } from '../api.ts';
import { asFields, type Fields, numberOf, textOf } from '../fields.ts';
import { formatMoment } from '../moment.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';

export function addSandboxCommand(program: Command, surroundings: Surroundings): void {
  const sandbox = program
    .command('sandbox')
    .summary('pair a phone with the sandbox line')
    .description('The line that all accounts share, and the phone that is paired with yours.');
  const add = (name: string, description: string, method: Method) =>
    sandbox
      .command(name)
      .description(description)
      .action(async (_options: unknown, command: Command) => {
        await showAnswer(openSession(surroundings, command), method);
      });
  add('status', 'Says how the account stands: phone, code, and what is left of the day.', 'GET');
  add('activate', 'Gives the code that pairs a phone. A phone that is paired stays so.', 'POST');
  add('deactivate', 'Ends the pairing, and gives a code for the next phone.', 'DELETE');
}

async function showAnswer({ api, terminal, isJson }: Session, method: Method): Promise<void> {
  const state = await api.call(method, '/v1/sandbox');
  if (isJson) terminal.printJson(state);
  else for (const sentence of sentencesOf(state)) terminal.print(sentence);
}

function sentencesOf(state: Fields): readonly string[] {
  const phone = textOf(state, 'contact_identifier');
  const code = textOf(state, 'activation_code');
  const line = textOf(state, 'sandbox_line_handle') ?? '-';
  const usage = asFields(state['usage']);
  const resets = formatMoment(numberOf(usage, 'resets_at'));
  const day = `${numberOf(usage, 'used') ?? 0} of ${numberOf(usage, 'limit') ?? 0} messages sent; a new day at ${resets}.`;
  if (phone !== null) return [`Paired with ${phone} since ${formatMoment(numberOf(state, 'activated_at'))}.`, day];
  if (code !== null) return [`Text ${code} to ${line} from the phone to pair.`, day];
  return ['No phone is paired. `trunkline sandbox activate` gives a code to text.', day];
}
