/**
 * Makes voice memos of what people record: m4a, mp3, wav, caf and aiff become caf with Opus, 24,000 Hz, one channel.
 *
 * The files come from anywhere, so each is decoded in a thread of its own that has a limit of time and of memory and no
 * environment. What decoders allocate beside JavaScript's heap is bounded by how they are fed: lengths are checked in the
 * file's own tables first, then a few packets at a time are decoded, encoded and forgotten.
 */
import { extname } from 'node:path';
import { isMarkedAsUntransferable, Worker } from 'node:worker_threads';

export const TRANSCODER_LIMITS = {
  /** Five minutes of 48,000 Hz, 16 bits, two channels fit. */
  inputMaxBytes: 64_000_000,
  /** Takes 6 seconds on a small machine, so that a busy one is still in time. */
  lengthMaxMs: 300_000,
  /** From the call on, the time in the queue included: requests are answered within 20 seconds. */
  timeMaxMs: 18_000,
  /** Threads at a time; further files wait. */
  runningMax: 2,
  waitingMax: 4,
  /** JavaScript's heap of one thread. */
  heapMaxMb: 192,
} as const;

export type TranscoderLimits = { readonly [Name in keyof typeof TRANSCODER_LIMITS]: number };

export type Transcoding =
  | { readonly state: 'transcoded'; readonly bytes: Uint8Array<ArrayBuffer>; readonly durationMs: number }
  /** `why` completes the sentence "The 'audio_message' field …". */
  | { readonly state: 'refused'; readonly why: string }
  /** The file was not looked at, or not long enough: it may be tried again. */
  | { readonly state: 'busy' };

export interface Transcoder {
  /** The bytes are given away: afterwards the caller's array may be empty. */
  transcode(bytes: Uint8Array): Promise<Transcoding>;
  /** Ends every thread; what was under way, or waited, is `busy`. */
  close(): Promise<void>;
}

export interface TranscodeJob {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lengthMaxMs: number;
}

/** Beside this file, here as in the bundle. */
const WORKER_FILE = new URL(`./transcode-worker${extname(import.meta.url)}`, import.meta.url);
/** The Opus package would take a native library where it has one; in a sandbox of WebAssembly nothing can be overwritten. */
const WORKER_ENVIRONMENT = { OPUS_FORCE_WASM: '1' };
const OUT_OF_MEMORY = 'ERR_WORKER_OUT_OF_MEMORY';
const BYTES_OF_A_MEGABYTE = 1_000_000;

const BUSY: Transcoding = { state: 'busy' };
const TOO_SLOW: Transcoding = { state: 'refused', why: 'names a file that takes too long to decode' };
const TOO_BIG: Transcoding = { state: 'refused', why: 'names a file that takes too much memory to decode' };

interface Job {
  readonly bytes: Uint8Array;
  readonly settle: (outcome: Transcoding) => void;
  readonly fail: (error: unknown) => void;
  hasWaited: boolean;
  worker: Worker | null;
}

export function createTranscoder(given: Partial<TranscoderLimits> = {}, workerFile: URL = WORKER_FILE): Transcoder {
  const limits: TranscoderLimits = { ...TRANSCODER_LIMITS, ...given };
  const waiting: Job[] = [];
  const running = new Map<Job, Promise<void>>();
  let isClosed = false;

  function startNext(): void {
    while (running.size < limits.runningMax) {
      const job = waiting.shift();
      if (job === undefined) return;
      running.set(
        job,
        runJob(job, limits, workerFile)
          .catch(job.fail)
          .then(() => {
            running.delete(job);
            startNext();
          }),
      );
    }
  }

  function giveUp(job: Job): void {
    const at = waiting.indexOf(job);
    if (at >= 0) waiting.splice(at, 1);
    job.settle(at >= 0 || job.hasWaited ? BUSY : TOO_SLOW);
  }

  return {
    async transcode(bytes) {
      if (bytes.length > limits.inputMaxBytes) return refuseSize(limits.inputMaxBytes);
      const isFull = running.size >= limits.runningMax && waiting.length >= limits.waitingMax;
      if (isClosed || isFull) return BUSY;
      const { promise, resolve, reject } = Promise.withResolvers<Transcoding>();
      const job: Job = {
        bytes,
        settle: resolve,
        fail: reject,
        hasWaited: running.size >= limits.runningMax,
        worker: null,
      };
      waiting.push(job);
      const timer = setTimeout(giveUp, limits.timeMaxMs, job);
      startNext();
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        void job.worker?.terminate();
      }
    },
    async close() {
      isClosed = true;
      for (const job of [...waiting.splice(0), ...running.keys()]) job.settle(BUSY);
      await Promise.all(running.values());
    },
  };
}

/** Starts the thread and is done when the thread is gone, whichever way it went. */
async function runJob(job: Job, { lengthMaxMs, heapMaxMb }: TranscoderLimits, workerFile: URL): Promise<void> {
  const bytes = handOver(job.bytes);
  const data: TranscodeJob = { bytes, lengthMaxMs };
  const worker = new Worker(workerFile, {
    workerData: data,
    transferList: [bytes.buffer],
    env: WORKER_ENVIRONMENT,
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: heapMaxMb },
  });
  job.worker = worker;
  // A decoder complains on the console of each broken frame: the answer says it once.
  worker.stdout.resume();
  worker.stderr.resume();
  worker.on('message', job.settle);
  worker.on('messageerror', job.fail);
  worker.on('error', (error) => {
    if ('code' in error && error.code === OUT_OF_MEMORY) job.settle(TOO_BIG);
    else job.fail(error);
  });
  await new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      job.fail(new Error(`The transcoder's thread ended with ${code} and without an answer.`));
      resolve();
    });
  });
}

/** Moved where the memory is the caller's alone to give, copied where it belongs to a pool or to more than these bytes. */
function handOver(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isWhole = buffer instanceof ArrayBuffer && bytes.byteLength === buffer.byteLength;
  return isWhole && !isMarkedAsUntransferable(buffer) ? new Uint8Array(buffer) : new Uint8Array(bytes);
}

function refuseSize(maxBytes: number): Transcoding {
  return { state: 'refused', why: `names a file that is larger than ${maxBytes / BYTES_OF_A_MEGABYTE} MB` };
}
