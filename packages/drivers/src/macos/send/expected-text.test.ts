import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bareText, coverWith, coverWithPreview, isLaterPiece } from './expected-text.ts';

describe('the text of a row', () => {
  it('is the one that was sent, whatever became of its white space, its form and its slots', () => {
    const sent = 'Caf\u00e9 at\r\n nine? ';
    expect(coverWith(sent, 0, '\ufffcCafe\u0301 at\nnine?')).toBe(bareText(sent).length);
    expect(coverWith(sent, 0, 'Caf\u00e9 at nine')).toBeNull();
    expect(coverWith(sent, 0, ' ')).toBeNull();
  });

  it('is a piece where it ends at a link, and nowhere else', () => {
    const sent = 'See (https://example.com/a), then example.org!';
    for (const piece of ['See', 'See (', 'See (https://example.com/a', 'See (https://example.com/a), then']) {
      expect(coverWith(sent, 0, piece)).toBe(bareText(piece).length);
    }
    expect(coverWith(sent, 0, 'See (https://example.com')).toBeNull();
    expect(coverWith('See you then', 0, 'See')).toBeNull();
    expect(isLaterPiece(sent, 0, 'example.org!')).toBe(true);
    expect(isLaterPiece(sent, 0, 'org!')).toBe(false);
    expect(isLaterPiece('See you then', 0, 'then')).toBe(false);
  });

  it('may be missing where a link became a preview', () => {
    const sent = 'See https://example.com/a';
    const covered = bareText('See').length;
    expect(coverWithPreview(sent, covered)).toBe(bareText(sent).length);
    expect(coverWithPreview(sent, 0)).toBeNull();
    expect(coverWithPreview('See you', covered)).toBeNull();
  });

  it('may be any long piece of a long text', () => {
    const sent = 'A long story. '.repeat(400);
    expect(coverWith(sent, 0, sent.slice(0, 4_000))).toBe(bareText(sent.slice(0, 4_000)).length);
    expect(coverWith(sent, 0, sent.slice(0, 500))).toBeNull();
  });
});

describe('a text that was split round its links', () => {
  const word = fc.constantFrom(
    'see',
    'ü',
    '👍🏽',
    'https://example.com/a?b=c',
    'example.org',
    '(www.example.net)',
    'a.b',
    '...',
  );

  it('is covered by its pieces in their order, to the end and not before', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 12 }), fc.infiniteStream(fc.boolean()), (words, cuts) => {
        const pieces: string[][] = [[]];
        for (const [place, one] of words.entries()) {
          const isBorder = [words[place - 1] ?? '', one].some((near) => /:\/\/|\.\p{L}{2}/u.test(near));
          if (place > 0 && isBorder && cuts.next().value === true) pieces.push([]);
          pieces.at(-1)?.push(one);
        }
        const sent = words.join(' ');
        let covered = 0;
        for (const piece of pieces) {
          expect(covered).toBeLessThan(bareText(sent).length);
          covered = coverWith(sent, covered, piece.join('\n')) ?? -1;
        }
        expect(covered).toBe(bareText(sent).length);
      }),
    );
  });
});
