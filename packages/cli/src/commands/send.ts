/** `trunkline send`: one message, accepted once however often it has to be asked for. */
import { type Command, Option } from 'commander';
import { makeIdempotencyKey, postItem } from '../accepted-item.ts';
import { chooseLine } from '../chosen-line.ts';
import { usageFailure } from '../failure.ts';
import { textOf } from '../fields.ts';
import { SEND_STYLES } from '../send-styles.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { uploadFile } from '../upload.ts';

interface SendOptions {
  readonly from?: string;
  readonly to: string;
  readonly file?: string;
  readonly audio?: string;
  readonly replyTo?: string;
  readonly style?: string;
  readonly wait?: boolean;
  readonly idempotencyKey?: string;
}

export function addSendCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('send')
    .summary('send a message, a file or a voice memo')
    .description(
      'Sends a text, a file with or without one, or a voice memo. A lost answer is asked for again with the same Idempotency-Key: nothing is sent twice.',
    )
    .argument('[text]', 'what to say; - reads it from stdin')
    .requiredOption('--to <handle>', 'a phone number, an e-mail address, or a chat (cht_)')
    .option('--from <line>', 'the line (handle or ln_ id); not needed where there is only one')
    .option('--file <path>', 'a file to send; - reads it from stdin')
    .option('--audio <path>', 'a recording (m4a, mp3, wav, caf or aiff) to send as a voice memo; - reads it from stdin')
    .option('--reply-to <id>', 'the message of the same chat to reply to (msg_, or its GUID)')
    .addOption(
      new Option('--style <style>', 'the effect to send it with; a line that has none sends it without').choices(
        SEND_STYLES,
      ),
    )
    .option('--wait', 'wait until it was sent or has failed')
    .option('--idempotency-key <key>', 'a key of your own, for a command that may be run again')
    .action(async (text: string | undefined, options: SendOptions, command: Command) => {
      refuseContradictions(text, options);
      await send(openSession(surroundings, command), text, options);
    });
}

function refuseContradictions(words: string | undefined, { file, audio, style }: SendOptions): void {
  if (audio !== undefined && (words !== undefined || file !== undefined))
    throw usageFailure('A voice memo goes alone: --audio takes neither a text nor --file.');
  if (audio !== undefined && style !== undefined)
    throw usageFailure('A voice memo has no effect: --audio takes no --style.');
  if (words === undefined && file === undefined && audio === undefined)
    throw usageFailure('There is nothing to send: say a text, --file or --audio.');
  if (words === '-' && file === '-') throw usageFailure('stdin is the text or the file, not both.');
}

async function send(session: Session, words: string | undefined, options: SendOptions): Promise<void> {
  const { api, terminal } = session;
  const text = words === '-' ? (await terminal.readInput()).replace(/\r?\n$/, '') : words;
  if (text === '') throw usageFailure('There is nothing to send: the text is empty.');
  const from = await chooseLine(api, options.from, '--from');
  // The server tells the two steps apart by their paths: run again with it, neither is done twice.
  const idempotencyKey = options.idempotencyKey ?? makeIdempotencyKey();
  const replyTo = options.replyTo === undefined ? {} : { reply_to: options.replyTo };
  const style = options.style === undefined ? {} : { send_style: options.style };
  const path = options.audio ?? options.file;
  const file = path === undefined ? null : textOf(await uploadFile(session, path, { idempotencyKey }), 'id');
  const message = {
    ...(text === undefined ? {} : { text }),
    ...(file === null ? {} : { attachments: [file] }),
  };
  const content = options.audio === undefined ? message : { audio_message: file };
  const route = options.audio === undefined ? '/v1/messages' : '/v1/audio-messages';
  const body = { from, to: options.to, ...content, ...replyTo, ...style };
  await postItem(session, route, body, { ...options, idempotencyKey });
}
