/** How deep a JSON text is nested, found without parsing it: what walks a body later need not fear for its stack. */
const QUOTE = '"';
const BACKSLASH = '\\';

export function isDeeperThan(max: number, text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isInString) {
      if (character === BACKSLASH) at++;
      else if (character === QUOTE) isInString = false;
    } else if (character === QUOTE) isInString = true;
    else if (character === '{' || character === '[') {
      depth++;
      if (depth > max) return true;
    } else if (character === '}' || character === ']') depth--;
  }
  return false;
}
