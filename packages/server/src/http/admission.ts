/**
 * The first thing that happens to a request: whether the server takes it at all. Refusing costs next to nothing, so that
 * an overloaded server stays able to refuse: the framework never hears of it, no body is read, no key is checked, no
 * database is asked.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FILES_PATH, UPLOADS_PATH } from '@trunkline/drivers';
import type { Clock } from '../clock.ts';
import { ApiError } from '../domain/errors.ts';
import type { Ids } from '../domain/ids.ts';
import { errorBody, errorStatus } from '../wire/v1.ts';
import { createConcurrencyLimit } from './concurrency-limit.ts';
import { HEALTH_ROUTES } from './health.ts';
import { createHeapSaver } from './heap-saver.ts';
import type { HttpLimits } from './http-limits.ts';
import { pathOf } from './path-of.ts';

const RETRY_AFTER_SECONDS = 1;
const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Whoever asks how the server does is always answered. */
const ALWAYS_ADMITTED: ReadonlySet<string> = new Set([...HEALTH_ROUTES.map((row) => row.path), '/metrics']);
/** Answers that last as long as their client stays: they wait for events, not for the server. */
const LASTING_PATHS: ReadonlySet<string> = new Set(['/v1/events']);

const UPLOADS: ReadonlySet<string> = new Set(['/v1/files', '/api/upload-file', '/api/upload-media-object']);
const DOWNLOADS = ['/files/', `${FILES_PATH}/`];
const PIECES = `${UPLOADS_PATH}/`;

/** More refusals than so many in a window are a flood; each of them is answered so much later. */
const FLOOD_WINDOW_MS = 100;
const FLOOD_REFUSALS = 50;
const FLOOD_DELAY_MS = 250;

const NOT_COUNTED: Place = { leave: () => undefined };
const STOPPING = overloaded('The server is stopping. Try again shortly.');
const FULL = overloaded('Too many requests wait for an answer. Try again shortly.');

export interface AdmissionDeps {
  readonly ids: Ids;
  readonly clock: Clock;
  readonly limits: HttpLimits;
  /** How many writes wait for a commit. */
  readonly queuedWrites: () => number;
  /** True once the process is stopping. */
  readonly isStopping: () => boolean;
  /** Told of every refusal. */
  readonly onRefused: () => void;
}

export interface Place {
  leave(): void;
}

export interface Admission {
  /** The request's place, to be left when it ends; null where it was refused, and has its answer. */
  take(request: IncomingMessage, response: ServerResponse): Place | null;
  /** A request's write took so long from the queue to its commit. */
  committed(ms: number): void;
}

export function createAdmission(deps: AdmissionDeps): Admission {
  const { ids, clock, limits, queuedWrites, isStopping } = deps;
  const heap = createHeapSaver(clock);
  const writes = createConcurrencyLimit(clock, limits.writesInFlightMax);
  // Counts, and no Map of requests: what a Map leaves behind when it grows keeps its former entries alive for a while.
  let inFlight = 0;
  let writesInFlight = 0;
  let windowEndsAt = 0;
  let refusedInWindow = 0;

  function refusalOf(isWrite: boolean): ApiError | null {
    if (isStopping()) return STOPPING;
    if (inFlight >= limits.inFlightMax) return FULL;
    if (!isWrite) return null;
    return writesInFlight >= writes.current() || queuedWrites() >= limits.writesQueuedMax ? FULL : null;
  }

  /** Clients that ask again at once are slowed down, so that there is time for those that were taken. */
  function refuse(refusal: ApiError, response: ServerResponse): void {
    deps.onRefused();
    const now = clock.monotonic();
    if (now >= windowEndsAt) {
      windowEndsAt = now + FLOOD_WINDOW_MS;
      refusedInWindow = 0;
    }
    refusedInWindow++;
    if (refusal === STOPPING || refusedInWindow <= FLOOD_REFUSALS) {
      answer(refusal, response, ids.make('request'));
      return;
    }
    heap.flooded();
    clock.after(FLOOD_DELAY_MS, () => answer(refusal, response, ids.make('request')));
  }

  const takeUpload = createPlaces(deps, limits.uploadsMax, true);
  const takeDownload = createPlaces(deps, limits.downloadsMax, false);
  const readPlace: Place = { leave: () => void inFlight-- };
  const writePlace: Place = {
    leave() {
      inFlight--;
      writesInFlight--;
    },
  };

  function placeFor(path: string, isWrite: boolean): Place | ApiError {
    if (isWrite && (UPLOADS.has(path) || path.startsWith(PIECES))) return takeUpload();
    if (DOWNLOADS.some((start) => path.startsWith(start))) return takeDownload();
    const refusal = refusalOf(isWrite);
    if (refusal) return refusal;
    if (LASTING_PATHS.has(path)) return NOT_COUNTED;
    inFlight++;
    if (isWrite) writesInFlight++;
    return isWrite ? writePlace : readPlace;
  }

  return {
    take(request, response) {
      const path = pathOf(request.url ?? '');
      if (ALWAYS_ADMITTED.has(path)) return NOT_COUNTED;
      const isWrite = !READING_METHODS.has(request.method ?? '');
      const place = placeFor(path, isWrite);
      if (!(place instanceof ApiError)) return place;
      refuse(place, response);
      return null;
    },
    committed: writes.took,
  };
}

/** Places of their own for what lasts as long as its client takes, so that it leaves the others free. */
function createPlaces({ isStopping, queuedWrites, limits }: AdmissionDeps, max: number, isWrite: boolean) {
  let taken = 0;
  const place: Place = { leave: () => void taken-- };
  return (): Place | ApiError => {
    if (isStopping()) return STOPPING;
    if (taken >= max || (isWrite && queuedWrites() >= limits.writesQueuedMax)) return FULL;
    taken++;
    return place;
  };
}

function answer(refusal: ApiError, response: ServerResponse, id: string): void {
  const body = JSON.stringify(errorBody(refusal, id));
  response
    .writeHead(errorStatus(refusal), {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'x-request-id': id,
      'retry-after': String(RETRY_AFTER_SECONDS),
      ...(refusal === STOPPING ? { connection: 'close' } : {}),
    })
    .end(body);
}

function overloaded(message: string): ApiError {
  return new ApiError('overloaded', { message, retryAfter: RETRY_AFTER_SECONDS });
}
