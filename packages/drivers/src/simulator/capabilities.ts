/** What a simulated line can do: everything that iMessage can, or what green bubbles carry. */
import type { Capabilities, Command } from '../line-driver.ts';

export type LineService = 'imessage' | 'sms' | 'auto';

const IMESSAGE: Capabilities = {
  text: true,
  attachments: true,
  groups: true,
  reply: true,
  reaction: true,
  customReaction: false,
  typing: true,
  receipts: true,
  audio: true,
  effects: true,
  edit: false,
  unsend: false,
  deliveryStatus: true,
  readStatus: true,
  typingEvents: true,
  serviceLookup: false,
};

/** Green bubbles carry text and pictures. */
const SMS: Capabilities = {
  ...IMESSAGE,
  reply: false,
  reaction: false,
  typing: false,
  receipts: false,
  audio: false,
  effects: false,
  deliveryStatus: false,
  readStatus: false,
  typingEvents: false,
};

export function capabilitiesOf(service: LineService = 'imessage'): Capabilities {
  return service === 'sms' ? SMS : IMESSAGE;
}

export function isAble(can: Capabilities, command: Command): boolean {
  switch (command.kind) {
    case 'message':
      return true;
    case 'audio_message':
      return can.audio;
    case 'reaction':
      return can.reaction;
    case 'typing':
      return can.typing;
    case 'receipt':
      return can.receipts;
  }
}
