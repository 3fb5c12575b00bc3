/** 52: every character that Unicode has, but for NUL, goes out and comes in byte for byte. */
import { describe, expect, it } from 'vitest';
import { ENGINES, expectStatus, LINE, PHONE, startTestServer, type TestServer, waitFor } from './harness.ts';
import { isSigned, startReceiver } from './receiver.ts';
import { expected, refusal } from './tenancy.ts';

/** As many UTF-16 units as a text may have. */
const TEXT_MAX = 20_000;
const SCALARS = 0x110000 - 0x800 - 1;
const TIMEOUT_MS = 120_000;

/** Every scalar value but NUL, in as few texts as there can be. */
function everyScalar(): string[] {
  const texts: string[] = [];
  let text = '';
  for (let scalar = 1; scalar < 0x110000; scalar++) {
    if (scalar === 0xd800) scalar = 0xe000;
    const character = String.fromCodePoint(scalar);
    if (text.length + character.length > TEXT_MAX) {
      texts.push(text);
      text = '';
    }
    text += character;
  }
  return [...texts, text];
}

/** What is more than its characters: order, joining and direction. */
const COMPOSED = [
  'e\u0301 \u00e9 \u1e69 s\u0323\u0307 s\u0307\u0323',
  'Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a',
  '👩‍👩‍👧‍👦 🏳️‍🌈 🇺🇳 👍🏽 1️⃣ ❤️ ❤︎',
  '\u202eright to left\u202c \u2066isolated\u2069 \u200fשלום\u200e',
  '\u200b\u200c\u200d\u2060\ufeff',
  ' \t leading, trailing and \r\n\n breaks \u2028\u2029 \t ',
  '\ufffc between \ufffc objects \ufffd',
  '\\u0000 \\ud800 %00 &amp; "quoted" \\',
];

describe.each(ENGINES)('52: texts on %s', (engine) => {
  const texts = [...everyScalar(), ...COMPOSED];

  it(
    'with every scalar value but NUL go out, come in and are told to a webhook as they were given',
    async () => {
      expect([...texts.join('')].length).toBeGreaterThan(SCALARS);
      const test = await startTestServer(engine);
      const receiver = await startReceiver();
      const { secret } = await test.webhook(receiver.url);
      const { chatId } = await test.text(texts[0] ?? '');
      for (const text of texts.slice(1)) await test.text(text);
      for (const text of texts) await test.send(text);
      const from = encodeURIComponent(LINE);
      const seen = () => messagesOf(test, `/v1/messages?from=${from}&to=${chatId}&limit=100`);
      const isOwn = (message: Record<string, unknown>) => message['is_from_me'] === true;
      const isSent = async () => (await seen()).filter(isOwn).length >= texts.length || undefined;
      await waitFor(isSent, 'all messages to be seen');
      const messages = (await seen()).reverse();
      expectTexts(messages, (message) => !isOwn(message), texts);
      expectTexts(messages, isOwn, texts);
      const path = `/simulator/v1/phones/${encodeURIComponent(PHONE)}/messages?line=${from}&limit=100`;
      expectTexts(await messagesOf(test, path), (message) => message['from_me'] === false, texts);
      await waitFor(() => receiver.received.length >= texts.length * 2 || undefined, 'all deliveries');
      const told = new Set(receiver.received.map(({ data }) => data['text']));
      expect(texts.filter((text) => !told.has(text))).toEqual([]);
      expect(receiver.received.filter((one) => !isSigned(one, secret))).toEqual([]);
      await test.stop();
      await receiver.close();
    },
    TIMEOUT_MS,
  );

  it('with a NUL or half a surrogate pair are refused, and so are longer ones', async () => {
    const test = await startTestServer(engine);
    await test.text('Hi');
    const refused = expected('invalid_parameter_value', 'text');
    for (const text of ['\0', 'a\0b', '\ud800', 'a\udc00', '\udc00\ud800', 'x'.repeat(TEXT_MAX + 1)]) {
      const answer = await test.call('POST', '/v1/messages', { from: LINE, to: PHONE, text });
      expect(refusal(answer)).toEqual(refused);
      const texted = await test.call('POST', '/simulator/v1/messages', { from: PHONE, to: LINE, text });
      expect(refusal(texted)).toEqual(refused);
    }
    await test.stop();
  });
});

/** Whole messages would fill a screen each: the index of a text that differs says enough. */
function expectTexts(
  messages: readonly Record<string, unknown>[],
  isMeant: (message: Record<string, unknown>) => boolean,
  texts: readonly string[],
): void {
  const got = messages.filter(isMeant).map(({ text }) => text);
  // What the simulator greets with is older than all of these.
  const newest = got.slice(-texts.length);
  expect(texts.flatMap((text, index) => (newest[index] === text ? [] : [index]))).toEqual([]);
}

async function messagesOf(test: TestServer, path: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body } = expectStatus(200, await test.call('GET', `${path}${cursor}`));
    rows.push(...(body['data'] as Record<string, unknown>[]));
    const next = body['next_cursor'];
    cursor = typeof next === 'string' ? `&cursor=${encodeURIComponent(next)}` : null;
  }
  return rows;
}
