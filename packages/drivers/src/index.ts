/** The port to an iMessage line, and the drivers behind it. */

// The port: what the server says to a line, and what the line tells.

export {
  CAPABILITIES,
  type Capabilities,
  type Capability,
  type ChatAddress,
  type Command,
  type Disposition,
  type DriverContext,
  type DriverFiles,
  type HandOver,
  type HealthState,
  type LineDriver,
  type LookUp,
  type OutgoingFile,
  type ReceivedFile,
  type SendAudioMessage,
  type SendMessage,
  type SendReaction,
  type SendReceipt,
  type SendTyping,
} from './line-driver.ts';
export type {
  AttachmentSeen,
  ChatSeen,
  CursorMoved,
  EditSeen,
  FailureSeen,
  LineEvent,
  MessageSeen,
  ObservedChat,
  PartSeen,
  ReactionSeen,
  ReadSeen,
  ReceiptSeen,
  SeenAttachment,
  TranscriptionSeen,
  TypingSeen,
  UnsendSeen,
} from './line-events.ts';

// The remote line: its server's end, and what the two ends say to each other. The agent's end is `agent.ts`.

export { type FrameSocket, wrapSocket } from './remote/frame-socket.ts';
export {
  CLOSE,
  CONNECT_PATH,
  FILES_PATH,
  FRAME_MAX_BYTES,
  type Hello,
  PROTOCOL_VERSION,
  readAgentFrame,
  UPLOADS_PATH,
} from './remote/frames.ts';
export { createRemoteDriver } from './remote/server-end.ts';

// How people are named on it, what messages are sent with, and what people react with.

export { isSendStyle, SEND_STYLES, type SendStyle } from './effect.ts';
export { normaliseHandle } from './handle.ts';
export { TAPBACKS, type Tapback } from './tapback.ts';

// The simulator: a driver, and the network of phones behind it.

export { createSimulatorDriver, type SimulatorDriverOptions } from './simulator/driver.ts';
export { type Meaning, meaningOf } from './simulator/meanings.ts';
export {
  createSimulatorNetwork,
  type LineSide,
  type SimulatorNetwork,
  type SimulatorNetworkOptions,
} from './simulator/network.ts';

// What its phones and faults are described with.

export type { Service } from './service.ts';
export type { Autoreply } from './simulator/autoreplies.ts';
export { type Faults, NO_FAULTS } from './simulator/faults.ts';
export type { NewGroup } from './simulator/group-chats.ts';
export type { PhoneMessage, PhonePage, PhoneQuery } from './simulator/phone-messages.ts';
export type { PhoneText, Texted } from './simulator/phone-texts.ts';
export { TIMINGS, type Timings } from './simulator/timings.ts';

// The database that whoever runs the simulator hands in.

export type {
  WireColumn,
  WireDatabase,
  WireRow,
  WireStatement,
  WireTransaction,
  WireValue,
} from './simulator/wire-database.ts';
