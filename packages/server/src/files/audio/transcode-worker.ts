/**
 * The thread in which a file is made a voice memo: one file, then it ends, and its memory with it. `transcoder.ts` starts it
 * by its path and gives it the bytes.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { AudioRefusal } from './audio-refusal.ts';
import { transcodeAudio } from './transcode-audio.ts';
import type { TranscodeJob, Transcoding } from './transcoder.ts';

await answer(workerData);

async function answer({ bytes, lengthMaxMs }: TranscodeJob): Promise<void> {
  const outcome = await transcode(bytes, lengthMaxMs);
  const moved = outcome.state === 'transcoded' ? [outcome.bytes.buffer] : [];
  parentPort?.postMessage(outcome, moved);
}

/** What is wrong with the file becomes an answer; what is wrong with us ends the thread with its error. */
async function transcode(bytes: TranscodeJob['bytes'], lengthMaxMs: number): Promise<Transcoding> {
  try {
    return { state: 'transcoded', ...(await transcodeAudio(bytes, lengthMaxMs)) };
  } catch (error) {
    if (!(error instanceof AudioRefusal)) throw error;
    return { state: 'refused', why: error.message };
  }
}
