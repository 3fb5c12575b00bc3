/**
 * Preloaded into a server: its SQLite syncs as `synchronous = NORMAL` does, although it believes otherwise. The control
 * of the power-cut test, which must lose something. The product has no setting for it, so its source is changed on the
 * way in.
 */
import { registerHooks } from 'node:module';

const FILE = '/store/dialects/sqlite.ts';
const CHANGES = [
  ["pragma('synchronous = FULL')", "pragma('synchronous = NORMAL')"],
  ['const SYNCHRONOUS_FULL = 2;', 'const SYNCHRONOUS_FULL = 1;'],
] as const;

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.endsWith(FILE)) return loaded;
    let source = String(loaded.source);
    for (const [text, other] of CHANGES) {
      if (!source.includes(text)) throw new Error(`${FILE} has no line with ${text}.`);
      source = source.replace(text, other);
    }
    return { ...loaded, source };
  },
});
