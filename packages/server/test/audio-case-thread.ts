/** A thread that tries one file after the other, so that hundreds of them do not need a thread each. */
import { parentPort, workerData } from 'node:worker_threads';
import { AudioRefusal } from '../src/files/audio/audio-refusal.ts';
import { transcodeAudio } from '../src/files/audio/transcode-audio.ts';

const { files, lengthMaxMs }: { files: Uint8Array<ArrayBuffer>[]; lengthMaxMs: number } = workerData;

for (const [index, file] of files.entries()) {
  parentPort?.postMessage({ index, outcome: await outcomeOf(file) });
}

async function outcomeOf(file: Uint8Array<ArrayBuffer>): Promise<string> {
  try {
    await transcodeAudio(file, lengthMaxMs);
    return 'transcoded';
  } catch (error) {
    if (error instanceof AudioRefusal) return error.message;
    return error instanceof Error ? `a bug: ${error.stack}` : 'a bug';
  }
}
