import { describe, expect, it } from 'vitest';
import { joinLookups, systemLookup } from './resolver.ts';

/** Look-ups that end when the test says so. */
function slowLookup() {
  const asked: string[] = [];
  const ends: ((addresses: readonly string[]) => void)[] = [];
  const lookup = joinLookups((host) => {
    asked.push(host);
    return new Promise((resolve) => ends.push(resolve));
  });
  return { asked, ends, lookup };
}

describe('a look-up', () => {
  it('is shared by all who ask for the name meanwhile, and made anew for whoever asks later', async () => {
    const { asked, ends, lookup } = slowLookup();
    const both = [lookup('a.example'), lookup('a.example'), lookup('b.example')];
    expect(asked).toEqual(['a.example', 'b.example']);
    ends[0]?.(['1.1.1.1']);
    ends[1]?.(['8.8.8.8']);
    expect(await Promise.all(both)).toEqual([['1.1.1.1'], ['1.1.1.1'], ['8.8.8.8']]);
    void lookup('a.example');
    expect(asked).toEqual(['a.example', 'b.example', 'a.example']);
  });

  it('is not begun beside 1,024 others, and counts as one that found nothing for now', async () => {
    const { asked, ends, lookup } = slowLookup();
    for (let index = 0; index < 1_024; index++) void lookup(`${index}.example`);
    await expect(lookup('one-more.example')).rejects.toMatchObject({ code: 'EAI_AGAIN' });
    expect(asked).toHaveLength(1_024);
    ends[0]?.(['1.1.1.1']);
    await lookup('0.example');
    void lookup('one-more.example');
    expect(asked).toHaveLength(1_025);
  });

  it('that finds no address has not found the name', async () => {
    await expect(joinLookups(async () => [])('a.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('gives all that the machine knows of a name', async () => {
    expect(await systemLookup('127.0.0.1')).toEqual(['127.0.0.1']);
    expect((await systemLookup('localhost')).every((one) => ['127.0.0.1', '::1'].includes(one))).toBe(true);
  });
});
