/** Asks the agent that runs on this computer, through the socket in its state folder. */
import { connect } from 'node:net';
import { type Question, socketPath } from './questions.ts';

const ANSWER_MAX_CHARACTERS = 1_000_000;

export type AgentAnswer =
  | { readonly state: 'answered'; readonly answer: unknown }
  /** It was asked, and could not say. */
  | { readonly state: 'refused'; readonly error: string }
  /** Something holds the socket and says nothing, or nothing that can be understood. */
  | { readonly state: 'silent' }
  /** No agent runs on this state folder. */
  | { readonly state: 'absent' };

const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTSOCK']);

/** Throws where the socket may not be opened: it belongs to another user. */
export function askAgent(stateFolder: string, question: Question, timeoutMs: number): Promise<AgentAnswer> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(socketPath(stateFolder));
    const settle = (answer: AgentAnswer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => settle({ state: 'silent' }), timeoutMs);
    socket.once('connect', () => socket.write(`${question}\n`));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.length > ANSWER_MAX_CHARACTERS) settle({ state: 'silent' });
    });
    socket.once('end', () => settle(readAnswer(text)));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (ABSENT.has(error.code ?? '')) settle({ state: 'absent' });
      else if (error.code === 'ECONNRESET' || error.code === 'EPIPE') settle({ state: 'silent' });
      else {
        clearTimeout(timer);
        reject(error);
      }
    });
  });
}

function readAnswer(text: string): AgentAnswer {
  const said = parse(text);
  if (typeof said !== 'object' || said === null) return { state: 'silent' };
  if ('error' in said && typeof said.error === 'string') return { state: 'refused', error: said.error };
  return 'answer' in said ? { state: 'answered', answer: said.answer } : { state: 'silent' };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
