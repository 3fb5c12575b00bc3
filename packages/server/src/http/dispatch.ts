/** One row's request, from the key to the answer, in the order of checks that the contract names. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../access/authenticate.ts';
import { ApiError } from '../domain/errors.ts';
import type { ReceivedFile } from '../files/received-file.ts';
import { type AnswerBatch, AnsweredBefore } from '../store/ticket.ts';
import { type AuthorizeDeps, authorize } from './authorize.ts';
import { type InputParser, inputParser } from './input.ts';
import type { LostAnswers } from './lost-answers.ts';
import type { ReceiveFile } from './receive-file.ts';
import {
  doElsewhere,
  findAnswer,
  guardOf,
  type Identity,
  identify,
  type Kept,
  type RepeatDeps,
  textOf,
} from './repeats.ts';
import { HANDLED, type Route } from './route.ts';
import type { SlowUploads } from './slow-uploads.ts';
import { showTiming, Timing } from './timing.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once the key has been checked. */
    caller: Caller | null;
    /** The body as it was sent. */
    bodyText: string;
    timing: Timing | null;
    /** Whether what it asked for is committed: whatever goes wrong now, it is not to be asked again. */
    isDone: boolean;
    /** Of an upload: the type as it was claimed. */
    claimedType: string | undefined;
    /** Whether it was refused in the midst of a long body: what still comes of it is not read to its end. */
    isCutShort: boolean;
  }
}

export interface DispatchDeps extends AuthorizeDeps, RepeatDeps {
  readonly lostAnswers: LostAnswers;
  readonly receiveFile: ReceiveFile;
  readonly slowUploads: SlowUploads;
  /** True once the process is stopping. */
  readonly isStopping: () => boolean;
  /** Told how long a request's write took from the queue to its commit, in milliseconds. */
  readonly onCommitted: (ms: number) => void;
}

const ANY_TYPE = 'application/octet-stream';
const JSON_TYPE = 'application/json; charset=utf-8';

/** `prefix`: the part of the row's path that the instance has already. */
export function addRoute(app: FastifyInstance, deps: DispatchDeps, row: Route, prefix = ''): void {
  const parse: Parsers = {
    query: row.query && inputParser(row.query),
    body: row.body && inputParser(row.body, row.anyOf),
  };
  const takesNothing = row.body !== null && Object.keys(row.body.shape).length === 0;
  app.route({
    method: row.method,
    url: row.path.slice(prefix.length),
    exposeHeadRoute: row.hasHead,
    // Before the body is read.
    onRequest: (request, reply, done) => {
      request.timing = new Timing(deps.clock);
      if (takesNothing) forgetEmptyBody(request);
      const admit = (caller: Caller) => {
        request.caller = caller;
        if (!row.isServed) throw new ApiError('not_implemented');
        if (row.rawBody || row.hasForm) admitUpload(deps, row, request);
        done();
      };
      try {
        const caller = authorize(deps, row, request, reply);
        if (caller instanceof Promise) caller.then(admit).catch(done);
        else admit(caller);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
    handler: (request, reply) => answer(deps, row, parse, request, reply),
  });
}

/** The framework would refuse a type that it cannot read, and what a file claims to be is not its business. */
function admitUpload({ slowUploads }: DispatchDeps, row: Route, request: FastifyRequest): void {
  if (row.rawBody) {
    request.claimedType = request.raw.headers['content-type'];
    request.raw.headers['content-type'] = ANY_TYPE;
  }
  slowUploads.begin(request.raw);
}

/** Where there is nothing to say, a type of the nothing that was sent is as good as none. */
function forgetEmptyBody({ raw: { headers } }: FastifyRequest): void {
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') {
    delete headers['content-type'];
  }
}

interface Parsers {
  readonly query: InputParser | null;
  readonly body: InputParser | null;
}

async function answer(
  deps: DispatchDeps,
  row: Route,
  parse: Parsers,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { caller, timing } = request;
  if (!caller || !timing) throw new Error('A request reached its handler without a caller.');
  deps.lostAnswers.goesOn(request.raw.socket);
  const asked: Asked = { row, parse, request, reply, caller, timing, upload: null };
  if (row.rawBody || row.hasForm) return answerUpload(deps, asked);
  if (row.method === 'POST') return answerOnce(deps, asked);
  const text = await handle(deps, asked, null);
  return text === null ? reply : sendText(deps, reply, row.status, text);
}

interface Asked {
  readonly row: Route;
  readonly parse: Parsers;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly caller: Caller;
  readonly timing: Timing;
  readonly upload: ReceivedFile | null;
}

/** The bytes come first: what they are is what tells a repeat from another upload. */
async function answerUpload(deps: DispatchDeps, asked: Asked): Promise<unknown> {
  const { row, request } = asked;
  const receiving = row.hasForm ? deps.receiveFile.fromForm(request) : deps.receiveFile.fromBody(request);
  const upload = await receiving.catch((error: unknown) => {
    request.isCutShort = true;
    throw error;
  });
  const { hash, size, filename, mimeType } = upload;
  request.body = { hash, size, filename, mimeType };
  request.bodyText = JSON.stringify(request.body);
  try {
    return await answerOnce(deps, { ...asked, upload });
  } finally {
    await upload.release();
  }
}

/** A POST is done once: a repeat of it is given the first answer. */
async function answerOnce(deps: DispatchDeps, asked: Asked): Promise<unknown> {
  const { row, caller, request, reply } = asked;
  const identity = identify(deps, row, caller, request);
  const kept: Kept = { guard: null, answers: null };
  try {
    await findAnswer(deps, identity);
    const work = () => handle(deps, asked, identity, kept);
    const text = row.isElsewhere ? await doElsewhere(deps, identity, work) : await work();
    if (kept.guard && kept.answers) deps.lostAnswers.follow(reply, kept.guard, kept.answers);
    return text === null ? reply : sendText(deps, reply, row.status, text);
  } catch (error) {
    if (!(error instanceof AnsweredBefore)) throw error;
    const { answer, lostId } = error;
    if (lostId !== null && kept.answers)
      deps.lostAnswers.follow(reply, { ...identity, id: lostId, answer }, kept.answers);
    reply.header('idempotent-replayed', 'true');
    return sendText(deps, reply, answer.status, textOf(deps, identity, error));
  }
}

/** Parses, calls the row's handler, and renders its answer: null where the handler answered by itself. */
async function handle(
  deps: DispatchDeps,
  asked: Asked,
  identity: Identity | null,
  kept: Kept = { guard: null, answers: null },
): Promise<string | null> {
  const { row, parse, request, reply, caller, timing, upload } = asked;
  const render = (result: Readonly<Record<string, unknown>>) =>
    JSON.stringify(row.dialect.answerBody(result, request.id));
  let text: string | null = null;
  const result = await row.handle({
    caller,
    request,
    reply,
    query: parse.query ? parse.query(request.query) : null,
    body: parse.body ? parse.body(request.body) : null,
    upload,
    params: request.params as Readonly<Record<string, string>>,
    ticket(answer) {
      text = render(answer);
      kept.guard = identity && !row.isElsewhere ? guardOf(deps, identity, text) : null;
      timing.queued();
      const committed = (answers: AnswerBatch | null) => {
        deps.onCommitted(timing.committed());
        request.isDone = true;
        kept.answers = kept.guard?.name === null ? answers : null;
      };
      return { guard: kept.guard, begun: () => timing.begun(), committed };
    },
  });
  if (result === HANDLED) return null;
  return text ?? render(result);
}

function sendText({ isStopping }: DispatchDeps, reply: FastifyReply, status: number, text: string): FastifyReply {
  reply.header('content-type', JSON_TYPE);
  showTiming(reply);
  // Not to be asked again on this connection.
  if (isStopping()) reply.header('connection', 'close');
  return reply.code(status).send(text);
}
