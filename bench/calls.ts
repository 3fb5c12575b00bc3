/** Calls between the benchmark and the processes that it forks: a name and an argument there, a result back. */
import type { ChildProcess } from 'node:child_process';

export type CallTable = Readonly<Record<string, (argument: never) => Promise<unknown>>>;

/** The other side of a `CallTable`. */
export interface Caller<Table extends CallTable> {
  call<Name extends keyof Table & string>(name: Name, argument: Parameters<Table[Name]>[0]): ReturnType<Table[Name]>;
}

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** In the child: answers calls until the parent is gone. */
export function serveCalls(table: CallTable): void {
  process.on('disconnect', () => process.exit(0));
  // An interrupt reaches the whole group; the parent decides when its children end.
  process.on('SIGINT', () => undefined);
  process.on('message', (question: Question) => {
    const { id, name, argument } = question;
    const run = table[name];
    const running = run ? run(argument as never) : Promise.reject(new Error(`There is no call ${name}.`));
    running.then(
      (result) => process.send?.({ id, result } satisfies Answer),
      (error: unknown) => process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
    );
  });
}

/** In the parent. A call fails when the child ends before it has answered. */
export function callChild<Table extends CallTable>(child: ChildProcess): Caller<Table> {
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  let last = 0;
  child.on('message', (answer: Answer) => {
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) call?.resolve(answer.result);
    else call?.reject(new Error(answer.error));
  });
  child.on('exit', () => {
    for (const call of waiting.values()) call.reject(new Error('A process of the benchmark ended too early.'));
    waiting.clear();
  });
  return {
    call: (name, argument) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, { resolve, reject });
        child.send({ id, name, argument } satisfies Question);
        // The child answers a call with what the table says it gives.
      }) as ReturnType<Table[typeof name]>,
  };
}
