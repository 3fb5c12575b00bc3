/** What the command needs on a Mac: the checks, the agent's socket, the record of a message database. */

// The checks.

export { createDoctorMac, type DoctorMac, type DoctorMacOptions } from './macos/doctor/doctor-mac.ts';
export { examineMac } from './macos/doctor/examine-mac.ts';
export type { Finding } from './macos/doctor/finding.ts';
export { type ProgramLimits, type ProgramRun, type RunProgram, runProgram } from './macos/doctor/run-program.ts';

// The agent on this computer: its folder, its lock, what it can be asked.

export { type AgentLock, takeAgentLock } from './macos/doctor/agent-lock.ts';
export { type AgentAnswer, askAgent } from './macos/doctor/ask-agent.ts';
export { type Answers, type DoctorSocket, serveDoctorSocket } from './macos/doctor/doctor-socket.ts';
export type { Question } from './macos/doctor/questions.ts';
export { stateFolderOf } from './macos/doctor/state-folder.ts';

// A record of a message database, without anything of anybody.

export { type ChatDbRecord, recordChatDb } from './macos/record/record-chat-db.ts';
