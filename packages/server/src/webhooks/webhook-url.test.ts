import { describe, expect, it } from 'vitest';
import { refuseUrl } from './webhook-url.ts';

const OPEN = { allowLoopbackHttp: true };
const STRICT = { allowLoopbackHttp: false };

describe('the URL of a webhook', () => {
  it.each([
    'https://example.com/hook',
    'https://example.com:8443/hook?a=1#b',
    'https://xn--bcher-kva.example/',
    'https://does-not-resolve.invalid/',
    'HTTPS://EXAMPLE.COM',
  ])('may be %s', (url) => {
    expect(refuseUrl(url, STRICT)).toBeNull();
    expect(refuseUrl(url, OPEN)).toBeNull();
  });

  it.each([
    'http://localhost:3000/hook',
    'http://127.0.0.1/',
    'http://127.1.2.3:80/',
    'http://[::1]:3000/',
    'http://2130706433/',
    'http://0x7f.1/',
  ])('may be %s only where the server itself is on this machine alone', (url) => {
    expect(refuseUrl(url, OPEN)).toBeNull();
    expect(refuseUrl(url, STRICT)).toBe('must be an https URL');
  });

  it.each([
    'http://example.com/',
    'http://10.0.0.1/',
    'http://127.0.0.1.example.com/',
    'http://localhost.example.com/',
    'http://0.0.0.0/',
    'http://169.254.169.254/latest/meta-data',
    'ftp://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/plain,x',
    'ws://localhost/',
  ])('may never be %s', (url) => {
    expect(refuseUrl(url, OPEN)).toBe('must be an https URL');
  });

  it.each(['', 'hook', '/hook', '//example.com', 'https://', 'https://a b/', 'https://[::1', 'https://x:99999/'])(
    'must be absolute and whole: "%s" is not',
    (url) => {
      expect(refuseUrl(url, OPEN)).toBe('must be an absolute URL');
    },
  );

  it('carries no user name and no password', () => {
    for (const url of ['https://user@example.com/', 'https://user:secret@example.com/', 'http://x:y@localhost/']) {
      expect(refuseUrl(url, OPEN)).toBe('must not carry a user name or password');
    }
  });
});
