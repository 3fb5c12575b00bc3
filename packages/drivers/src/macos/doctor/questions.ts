/** What an agent can be asked on its socket, and where that is. */
import { join } from 'node:path';

const SOCKET = 'agent.sock';
/** macOS keeps 104 bytes for the path of a socket, the last of them empty. */
const PATH_BYTES_MAX = 103;

export const QUESTIONS = ['doctor', 'status'] as const;
export type Question = (typeof QUESTIONS)[number];

export function isQuestion(text: string): text is Question {
  return QUESTIONS.some((one) => one === text);
}

/** Throws a sentence where the system could not make a socket of that name. */
export function socketPath(stateFolder: string): string {
  const path = join(stateFolder, SOCKET);
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
    throw new RangeError(`The path ${path} is too long for a socket: choose a state folder with a shorter name.`);
  }
  return path;
}
