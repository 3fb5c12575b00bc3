/** Says that something has happened in a folder. Only a hint: file events fall silent, and are never relied on. */
import { type FSWatcher, watch } from 'node:fs';

/** Several files change at once. */
const TOGETHER_MS = 50;

export interface FolderHints {
  /** Watches anew: the folder may be another one by now, or the watch have died. */
  renew(): void;
  close(): void;
}

/** `onFailure` is told why there are no hints at present. */
export function watchFolder(folder: string, onHint: () => void, onFailure: (error: Error) => void): FolderHints {
  let watcher: FSWatcher | null = null;
  let timer: NodeJS.Timeout | null = null;

  function hint(): void {
    timer ??= setTimeout(() => {
      timer = null;
      onHint();
    }, TOGETHER_MS);
  }

  function end(): void {
    watcher?.close();
    watcher = null;
  }

  function renew(): void {
    end();
    try {
      watcher = watch(folder, hint);
      watcher.on('error', (error) => {
        end();
        onFailure(error);
      });
    } catch (error) {
      onFailure(error instanceof Error ? error : new Error(String(error)));
    }
  }

  renew();
  return {
    renew,
    close() {
      end();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
