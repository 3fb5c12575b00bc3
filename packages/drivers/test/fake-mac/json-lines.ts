/** JSON values from a pipe whose other end writes this type, one a line. Node's own reader of lines also ends one at U+2028, which stands in texts. */
import type { Readable } from 'node:stream';

export function readJsonLines<Value>(from: Readable, take: (value: Value) => void): void {
  let rest = '';
  from.setEncoding('utf8');
  from.on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(JSON.parse(line));
  });
}
