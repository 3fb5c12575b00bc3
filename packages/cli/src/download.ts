/** Fetches the bytes behind a link to a file. The link is all that is needed: the key stays here. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { reach, refusalOf } from './api.ts';
import { EXIT, Failure, usageFailure } from './failure.ts';

const DOWNLOAD_WITHIN_MS = 15 * 60_000;

/** Gives how many bytes came. */
export async function fetchLink(link: string, take: (bytes: Uint8Array) => Promise<void>): Promise<number> {
  if (!/^https?:/.test(link) || !URL.canParse(link)) throw new Failure(EXIT.refused, 'The server gave no link to it.');
  const { origin } = new URL(link);
  const signal = AbortSignal.timeout(DOWNLOAD_WITHIN_MS);
  const response = await reach(origin, () => fetch(link, { signal, redirect: 'manual' }));
  if (!response.ok) throw await refusalOf(origin, response);
  const reader = response.body?.getReader();
  if (reader === undefined) return 0;
  let size = 0;
  for (;;) {
    const { done, value } = await reach(origin, () => reader.read());
    if (done) return size;
    size += value.length;
    await take(value);
  }
}

/** Written beside and renamed: who looks at `path` finds the whole file, or what was there before. */
export async function fetchLinkTo(link: string, path: string): Promise<number> {
  const beside = `${path}.${randomUUID()}.part`;
  const file = await open(beside, 'wx').catch((error: unknown) => {
    throw unwritable(path, error);
  });
  try {
    const size = await fetchLink(link, async (bytes) => void (await file.writeFile(bytes)));
    await file.close();
    await rename(beside, path);
    return size;
  } catch (error) {
    await file.close();
    await rm(beside, { force: true });
    throw error instanceof Failure ? error : unwritable(path, error);
  }
}

function unwritable(path: string, error: unknown): Failure {
  return usageFailure(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
}
