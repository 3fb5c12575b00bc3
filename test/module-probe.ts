/** Loaded into a server before its own code (`--import`): tells its parent, when asked, which files were loaded so far. */
import { registerHooks } from 'node:module';

const loaded = new Set<string>();

registerHooks({
  load(url, context, nextLoad) {
    loaded.add(url.replace(/\?.*$/, ''));
    return nextLoad(url, context);
  },
});

process.on('message', () => process.send?.([...loaded].filter((url) => url.startsWith('file:'))));
// The probe keeps no server running.
process.channel?.unref();
