import { describe, expect, it } from 'vitest';
import { createScriptRunner, readOutcome } from './osascript.ts';

const outcomeOf = (stderr: string) => readOutcome(1, { stdout: '', stderr });

describe('what a script printed', () => {
  it('says by its numbers how far it came, in whatever language', () => {
    const inLookUp = '0:412: Ausführungsfehler: RESOLVE -1728: „chat id“ kann nicht gelesen werden. (9001)\n';
    expect(outcomeOf(inLookUp)).toMatchObject({ state: 'not_sent', error: -1728 });
    expect(outcomeOf('3:9: Ausführungsfehler: „Messages“ hat einen Fehler erhalten (-1712)\n')).toEqual({
      state: 'broken',
      error: -1712,
    });
    expect(outcomeOf('12:15: syntax error: Expected end of line (-2741)')).toMatchObject({ state: 'not_sent' });
    expect(outcomeOf('Segmentation fault')).toEqual({ state: 'broken', error: null });
    expect(outcomeOf('')).toEqual({ state: 'broken', error: null });
    expect(outcomeOf('osascript: can’t open default scripting component.')).toMatchObject({ state: 'not_sent' });
  });

  it('is not believed where the words of an error only look like the mark of a look-up', () => {
    expect(outcomeOf('execution error: RESOLVE -1728: (9001) was in the text (-1700)')).toEqual({
      state: 'broken',
      error: -1700,
    });
  });
});

describe('a script', () => {
  it('is read from the standard input, with its data behind it, and ended by force when it takes too long', async () => {
    const program = `process.stdin.on('data', () => {}).on('end', () => console.log(process.argv.slice(1).join(',')))`;
    const run = createScriptRunner([process.execPath, '-e', program, '--']);
    const done = await run({ source: 'tell', argv: ['-a', 'b "c"'], limitMs: 20_000 });
    expect(done).toEqual({ state: 'done', output: '-,-a,b "c"' });
    const hang = createScriptRunner([process.execPath, '-e', 'setInterval(() => {}, 1000)', '--']);
    expect(await hang({ source: 'tell', argv: [], limitMs: 300 })).toEqual({ state: 'killed' });
    const early = createScriptRunner([process.execPath, '-e', 'process.exit(3)', '--']);
    const source = 'x'.repeat(1_000_000);
    expect(await early({ source, argv: [], limitMs: 20_000 })).toEqual({ state: 'broken', error: null });
    expect(await run({ source: '', argv: ['a\0b'], limitMs: 20_000 })).toMatchObject({ state: 'not_sent' });
  });
});
