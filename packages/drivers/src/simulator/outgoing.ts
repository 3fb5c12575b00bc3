/** From the port's words to the network's: what a command puts on the air. */
import type { Capabilities, Command, SendAudioMessage, SendMessage } from '../line-driver.ts';
import type { Content } from './content.ts';
import type { Acting } from './wire-acts.ts';

/** Where the line cannot reply or has no effects, a message goes without. A voice memo never has one. */
export function outgoingContent(command: SendMessage | SendAudioMessage, can: Capabilities): Content {
  const isAudio = command.kind === 'audio_message';
  const files = isAudio ? [command.audio] : command.attachments;
  return {
    text: isAudio ? '' : (command.text ?? ''),
    attachments: files.map((one) => ({ ...one, transcription: null })),
    isAudio,
    replyToGuid: can.reply ? command.replyToGuid : null,
    effect: can.effects && !isAudio ? command.effect : null,
  };
}

export function actingOf(command: Exclude<Command, SendMessage | SendAudioMessage>): Omit<Acting, 'line'> {
  const { reference, attempt, chat } = command;
  if (command.kind === 'reaction') {
    const { target, type } = command;
    return { reference, attempt, chat, act: { kind: 'reaction', target, type } };
  }
  if (command.kind === 'receipt') return { reference, attempt, chat, act: { kind: 'receipt' } };
  return { reference, attempt, chat, act: { kind: 'typing', isTyping: command.isTyping } };
}
