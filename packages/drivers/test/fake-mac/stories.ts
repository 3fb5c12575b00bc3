/** The stories that timelines are made of. Letters refer to the transport dossier. */
import fc from 'fast-check';
import type { Step } from './steps.ts';

/** Steps count from the story's beginning. A name that begins with `own`, and `@own` for what it made, is the story's. */
export interface Story {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Delays that a bridge meets, shortened: what takes a minute on a Mac takes a part of a second here. */
const SHORT_MS = 600;
const PEERS = ['+15550109999', '+15550109998', 'ada@example.com'] as const;
const GROUPS = ['@group.chat', '@hexGroup.chat'] as const;
/** c.1 */
const TAPBACKS = [2000, 2001, 2002, 2003, 2004, 2005];
const EDITS_MAX = 5;
const DAY_MS = 86_400_000;

const delay = (): fc.Arbitrary<number> => fc.integer({ min: 0, max: SHORT_MS });
const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(one, { nil: null });
const words = (): fc.Arbitrary<string> =>
  fc
    .oneof(
      { weight: 4, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }) },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 120, max: 3_000 }).map((length) => 'ab c'.repeat(length).slice(0, length)),
      },
    )
    .filter((text) => text.trim() !== '' && !/[\uFFFC\uFFFD@]/.test(text));
const peer = (): fc.Arbitrary<string> => fc.constantFrom(...PEERS);
const place = (): fc.Arbitrary<{ group?: string }> =>
  fc.oneof(
    fc.constant({}),
    fc.constantFrom(...GROUPS).map((group) => ({ group })),
  );

/** `skewMs`: how far a sender's clock may be behind. */
export function textStories(skewMs: number): fc.Arbitrary<Story> {
  return fc.oneof(plainText(skewMs), sameDate(skewMs), linkPreview(), files(), ownText(), toOneself(), silent());
}

function plainText(skewMs: number): fc.Arbitrary<Story> {
  const act = fc.record({
    from: peer(),
    text: words(),
    joinAfterMs: delay(),
    // The sender's clock is not ours: dates go back and forth.
    agoMs: fc.integer({ min: 0, max: skewMs }),
    textColumn: fc.constantFrom('whole', 'cut', 'null'),
  } as const);
  const where = fc.oneof(
    place(),
    fc.constantFrom({ service: 'SMS' }, { hasOwnHandle: true }, { alsoIn: ['+15550109997'] }),
  );
  return fc.tuple(act, where).map(([text, more]) => ({
    title: 'a text',
    steps: [{ at: 0, name: 'text', act: { ...text, ...more } }],
  }));
}

function sameDate(skewMs: number): fc.Arbitrary<Story> {
  return fc.tuple(peer(), words(), words()).map(([from, ...texts]) => ({
    title: 'two texts of one moment',
    steps: texts.map((text): Step => ({ at: 0, name: 'text', act: { from, text, agoMs: skewMs } })),
  }));
}

/** a.5: a second row, or the same one filled later. */
function linkPreview(): fc.Arbitrary<Story> {
  return fc
    .tuple(peer(), place(), delay(), fc.boolean(), fc.integer({ min: 1, max: 1_000_000 }))
    .map(([from, where, afterMs, hasOwnRow, page]) => {
      const url = `https://example.com/${page}`;
      const act = { from, ...where, text: `Look: ${url}`, url };
      const step: Step = hasOwnRow
        ? { at: 0, name: 'textWithPreview', act: { ...act, previewAfterMs: afterMs } }
        : { at: 0, name: 'textWithBalloon', act: { ...act, balloonAfterMs: afterMs } };
      return { title: 'a link', steps: [step] };
    });
}

function files(): fc.Arbitrary<Story> {
  const file = fc.record({
    file: fc.record({
      name: fc.constantFrom('hike.jpg', 'Größe 2.heic', 'notes.pdf'),
      mimeType: fc.constantFrom('image/jpeg', null),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    }),
  });
  const part = fc.oneof({ weight: 2, arbitrary: file }, { weight: 1, arbitrary: fc.record({ text: words() }) });
  const parts = fc.tuple(file, fc.array(part, { maxLength: 2 })).map(([first, others]) => [first, ...others]);
  const arrival = fc.record({
    rowAfterMs: delay(),
    fileAfterMs: maybe(delay()),
    doneAfterMs: maybe(delay()),
    fails: fc.boolean(),
  });
  return fc.tuple(peer(), place(), parts, delay(), arrival).map(([from, where, all, joinAfterMs, how]) => ({
    title: 'files',
    steps: [{ at: 0, name: 'files', act: { from, ...where, parts: all, joinAfterMs, arrival: how } }],
  }));
}

/** The owner writes on another device, and anything becomes of it. */
function ownText(): fc.Arbitrary<Story> {
  const fate = fc.oneof(
    fc.record({ sentAfterMs: delay() }),
    fc.record({ deliveredAfterMs: delay() }),
    fc.tuple(delay(), delay()).map(([first, more]) => ({ deliveredAfterMs: first, readAfterMs: first + more })),
    fc.record({ error: fc.constantFrom(4, 22, 25), afterMs: delay() }).map((fails) => ({ fails })),
    fc.record({ downgradesAfterMs: delay() }),
  );
  return fc.tuple(peer(), words(), delay(), fate).map(([to, text, joinAfterMs, what]) => ({
    title: 'an own text',
    steps: [{ at: 0, name: 'ownText', act: { to, text, joinAfterMs, ...what } }],
  }));
}

function toOneself(): fc.Arbitrary<Story> {
  return fc.tuple(words(), delay()).map(([text, gapMs]) => ({
    title: 'a text to oneself',
    steps: [{ at: 0, name: 'selfChat', act: { text, gapMs } }],
  }));
}

/** Rows that are no message, ever. */
function silent(): fc.Arbitrary<Story> {
  return fc.tuple(peer(), words(), fc.integer({ min: 0, max: 2 })).map(([from, text, which]): Story => {
    if (which === 0)
      return { title: 'an orphan', steps: [{ at: 0, name: 'text', act: { from, text, joinAfterMs: null } }] };
    if (which === 1) return { title: 'a ghost', steps: [{ at: 0, name: 'ghost', act: { identifier: 'chat99' } }] };
    return { title: 'a text for later', steps: [{ at: 0, name: 'sendLater', act: { to: from, text, inMs: DAY_MS } }] };
  });
}

/** What is done to a message, or to a group. */
export function changeStories(): fc.Arbitrary<Story> {
  return fc.oneof(reactions(), edits(), partTakenBack(), deletion(), groupChange());
}

function begun(from: string, text: string, where: { readonly group?: string }): Step {
  return { at: 0, name: 'text', act: { from, text, ...where }, as: 'own' };
}

function reactions(): fc.Arbitrary<Story> {
  const types = fc.array(fc.constantFrom(...TAPBACKS), { minLength: 1, maxLength: 3 });
  return fc
    .tuple(peer(), words(), place(), types, fc.boolean(), fc.boolean())
    .map(([from, text, where, all, isTakenOff, deletesAddedRow]) => {
      const step = (type: number, added: boolean, at: number): Step => {
        return { at, name: 'react', act: { from, guid: '@own', type, added, deletesAddedRow } };
      };
      const last = all.at(-1) ?? 2000;
      return {
        title: 'reactions',
        steps: [
          begun(from, text, where),
          ...all.map((type, index) => step(type, true, 50 * (index + 1))),
          ...(isTakenOff ? [step(last, false, 50 * (all.length + 1))] : []),
        ],
      };
    });
}

/** b.5 */
function edits(): fc.Arbitrary<Story> {
  return fc
    .tuple(peer(), words(), place(), fc.array(words(), { maxLength: EDITS_MAX }), fc.boolean())
    .map(([from, text, where, texts, isUnsent]) => {
      const unsend: Step = { at: 60 * (texts.length + 1), name: 'unsend', act: { guid: '@own' } };
      return {
        title: 'edits',
        steps: [
          begun(from, text, where),
          ...texts.map((one, index): Step => {
            return { at: 60 * (index + 1), name: 'edit', act: { guid: '@own', text: one } };
          }),
          ...(isUnsent ? [unsend] : []),
        ],
      };
    });
}

/** b.5: one bubble of two is gone, the other stays. */
function partTakenBack(): fc.Arbitrary<Story> {
  return fc.tuple(peer(), words(), fc.integer({ min: 0, max: 1 })).map(([from, text, part]) => {
    const file = { name: 'hike.jpg', mimeType: 'image/jpeg', bytes: 'aGlrZQ==' };
    return {
      title: 'a part that is taken back',
      steps: [
        { at: 0, name: 'files', act: { from, parts: [{ text }, { file }] }, as: 'own' },
        { at: 100, name: 'unsend', act: { guid: '@own', part } },
      ],
    };
  });
}

function deletion(): fc.Arbitrary<Story> {
  return fc
    .tuple(peer(), words(), delay(), fc.constantFrom('delete', 'recentlyDelete'))
    .map(([from, text, at, name]) => ({
      title: 'a deletion',
      steps: [begun(from, text, {}), { at: at + 1, name, act: { guid: '@own' } }],
    }));
}

function groupChange(): fc.Arbitrary<Story> {
  const by = PEERS[0];
  return fc.tuple(fc.constantFrom(...GROUPS), maybe(words()), fc.boolean()).map(([group, name, added]): Story => {
    if (name !== null)
      return { title: 'a new name', steps: [{ at: 0, name: 'renameGroup', act: { group, by, name } }] };
    const act = { group, by, who: '+15550109997', added };
    return { title: 'a change of members', steps: [{ at: 0, name: 'changeMember', act }] };
  });
}

function once(step: Step): Story {
  return { title: step.name, steps: [step] };
}

/** Another file under the same name, with the same rows, under the same ROWIDs or others. */
export function replacements(): fc.Arbitrary<Story> {
  return fc.constantFrom(
    once({ at: 0, name: 'replaceByCopy', act: {} }),
    once({ at: 0, name: 'replaceByRebuilt', act: { keep: 1_000_000 } }),
  );
}

/** What happens to the database as a whole. */
export function upheavalStories(floodRows: number): fc.Arbitrary<Story> {
  return fc.oneof(
    fc.constantFrom(once({ at: 0, name: 'checkpoint', act: {} }), once({ at: 0, name: 'rotate', act: {} })),
    fc.integer({ min: 1, max: 40 }).map((rows) => once({ at: 0, name: 'gap', act: { rows } })),
    fc.integer({ min: 1, max: SHORT_MS }).map((ms) => once({ at: 0, name: 'holdReadLock', act: { ms } })),
    fc
      .integer({ min: 1, max: floodRows })
      .map((rows) => once({ at: 0, name: 'flood', act: { from: PEERS, rows, agoMs: 30 * DAY_MS } })),
  );
}
