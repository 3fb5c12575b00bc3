/** Speaks to the agent that runs on this computer; whatever goes wrong there is a sentence. */
import type { AgentAnswer, Question } from '@trunkline/drivers/doctor';
import { EXIT, Failure } from './failure.ts';

/** Undefined where no agent runs on this folder. */
export async function askLocalAgent(folder: string, question: Question, timeoutMs: number): Promise<unknown> {
  const said = await ask(folder, question, timeoutMs);
  switch (said.state) {
    case 'answered':
      return said.answer;
    case 'absent':
      return undefined;
    case 'refused':
      throw new Failure(EXIT.refused, `The agent could not answer: ${said.error}`);
    case 'silent':
      throw new Failure(EXIT.unreachable, `The agent on ${folder} does not answer. Start it again.`);
  }
}

async function ask(folder: string, question: Question, timeoutMs: number): Promise<AgentAnswer> {
  const { askAgent } = await import('@trunkline/drivers/doctor');
  try {
    return await askAgent(folder, question, timeoutMs);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Failure(EXIT.unreachable, `The agent on ${folder} cannot be asked: ${message}`, { cause: error });
  }
}
