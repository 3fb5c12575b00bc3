/** Names as clients send them: what is stored, and what a link says of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanFilename } from '../src/files/filename.ts';
import { download, upload } from './file-client.ts';
import { startTestServer, type TestServer } from './harness.ts';

/** As Node takes header values: a character for each byte. */
const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

const NAMES: readonly (readonly [what: string, header: string, stored: string | null])[] = [
  ['plain ASCII', 'photo.png', 'photo.png'],
  ['UTF-8', utf8('Größe 日本語 🎉.txt'), 'Größe 日本語 🎉.txt'],
  ['Latin-1', 'Gr\u00f6\u00dfe.txt', 'Größe.txt'],
  ['percent-encoded UTF-8', 'Gr%C3%B6%C3%9Fe%20%F0%9F%8E%89.txt', 'Größe 🎉.txt'],
  ['percent-encoded Latin-1', 'Gr%F6%DFe.txt', 'Größe.txt'],
  ['percent-encoded in part', 'a b%20c.txt', 'a b c.txt'],
  ['a per cent sign of its own', '100% sure.txt', '100% sure.txt'],
  ['decoded once only', '%2541.txt', '%41.txt'],
  ["UTF-8''…", "UTF-8''na%C3%AFve%20name.txt", 'naïve name.txt'],
  ["UTF-8'en'…", "utf-8'en'a%27b.txt", "a'b.txt"],
  ['an encoded word in base64', '=?utf-8?B?R3LDtsOfZS50eHQ=?=', 'Größe.txt'],
  ['an encoded word in Q', '=?UTF-8?Q?Gr=C3=B6=C3=9Fe_100%.txt?=', 'Größe 100%.txt'],
  ['two encoded words', '=?utf-8?q?a_?= =?utf-8?q?b.txt?=', 'a b.txt'],
  ['in quotes', '"quoted name.txt"', 'quoted name.txt'],
  ['decomposed letters', utf8('e\u0301.txt'), '\u00e9.txt'],
  ['a path', '/etc/passwd', 'passwd'],
  ['a path upwards', '../../../etc/passwd', 'passwd'],
  ['an encoded path upwards', '..%2f..%2Fetc%2fpasswd', 'passwd'],
  ['a path of Windows', 'C:\\Users\\me\\photo.png', 'photo.png'],
  ['an encoded path of Windows', '..%5c..%5cphoto.png', 'photo.png'],
  ['leading dots', '...hidden', 'hidden'],
  ['a leading dash', '-rf', 'rf'],
  ['trailing dots and spaces', 'name.txt. . ', 'name.txt'],
  ['an encoded NUL', 'a%00b.txt', 'ab.txt'],
  ['encoded line ends', 'a%0d%0aX-Evil: 1.txt', 'aX-Evil: 1.txt'],
  ['an encoded turn of direction', 'photo%E2%80%AEgnp.exe', 'photognp.exe'],
  ['invisible characters', utf8('a\u200bb\u2066c.txt'), 'abc.txt'],
  ['a device', 'CON', '_CON'],
  ['a device with an extension', 'nul.txt', '_nul.txt'],
  ['what only begins like a device', 'console.txt', 'console.txt'],
  ['nothing', '', null],
  ['dots alone', '..', null],
  ['a slash at the end', 'folder/', null],
  ['255 bytes', `${'x'.repeat(251)}.png`, `${'x'.repeat(251)}.png`],
  ['256 bytes', `${'x'.repeat(252)}.png`, `${'x'.repeat(251)}.png`],
  ['10 KB of letters that take four bytes', encodeURIComponent(`${'🎉'.repeat(800)}.jpeg`), `${'🎉'.repeat(62)}.jpeg`],
  ['a long name without an extension', 'y'.repeat(400), 'y'.repeat(255)],
];

describe('a filename', () => {
  let test: TestServer;
  let address: string;
  beforeAll(async () => {
    test = await startTestServer('sqlite');
    address = (await test.server.listen()) ?? '';
  });
  afterAll(() => test.stop());

  it.each(NAMES)('of %s is stored clean and told again by the link', async (_what, header, stored) => {
    const { status, body } = await upload(address, Buffer.from('text'), { headers: { 'x-filename': header } });
    expect([status, body['filename']]).toEqual([201, stored]);
    const { headers, status: got } = await download(String(body['url']));
    const disposition = headers['content-disposition'] ?? '';
    const [, ascii, encoded = ''] =
      /^attachment; filename="([ -~]*)"; filename\*=UTF-8''([\w%.!$&+^`|~-]*)$/.exec(disposition) ?? [];
    expect([got, decodeURIComponent(encoded)]).toEqual([200, stored ?? body['id']]);
    expect(ascii).not.toMatch(/["\\]/);
    expect(headers['x-evil']).toBeUndefined();
  });

  it('from no header is none', async () => {
    const { body } = await upload(address, Buffer.from('text'));
    expect(body['filename']).toBeNull();
    expect(body['url']).toMatch(/\/file\?expires=/);
  });

  it('is never longer than it may be, nor leads anywhere, whatever it was', () => {
    for (const name of ['\ud800', '\ufffe/..', `a/${'ü'.repeat(300)}`, '. . .', '\u0085\u2028x', '-./-.']) {
      const clean = cleanFilename(name);
      if (clean === null) continue;
      expect(Buffer.byteLength(clean)).toBeLessThanOrEqual(255);
      expect(clean).toMatch(/^[^./\\-][^/\\\p{Cc}]*$/u);
      expect(cleanFilename(clean)).toBe(clean);
    }
  });
});
