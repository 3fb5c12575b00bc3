/** The HTTP server: the rows of every dialect, one way of reading bodies, one envelope for what goes wrong. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ApiError, type ErrorCode } from '../domain/errors.ts';
import type { Ids } from '../domain/ids.ts';
import { type Blobs, BlobsUnavailableError } from '../files/blobs.ts';
import type { Log } from '../log.ts';
import { CommitInDoubtError, StorageUnavailableError } from '../store/database.ts';
import { WriterOverloadedError } from '../store/writer.ts';
import { type Admission, createAdmission } from './admission.ts';
import { type ClientErrors, createClientErrors } from './client-errors.ts';
import { allowOtherOrigins } from './cors.ts';
import { dialectAt, SENDBLUE_PREFIX } from './dialect.ts';
import { addRoute, type DispatchDeps } from './dispatch.ts';
import { addDocuments, DOCUMENT_ROUTES, type Documents } from './documents.ts';
import { addFileLinks, FILE_LINK_ROUTES, type FileLinkDeps } from './file-links.ts';
import { readForms } from './form-bodies.ts';
import { addHealth, HEALTH_ROUTES, type HealthChecks } from './health.ts';
import { HTTP_LIMITS, type HttpLimits } from './http-limits.ts';
import { lingeringAnswer } from './lingering-answer.ts';
import { addMetrics, METRICS_ROUTE, type MetricsPage } from './metrics.ts';
import { createReceiveFile } from './receive-file.ts';
import { takeForms } from './receive-form.ts';
import type { Route } from './route.ts';
import { createSlowUploads, type SlowUploads } from './slow-uploads.ts';
import { showTiming } from './timing.ts';

/** The longest part of a path that a route reads: an e-mail handle, percent-encoded throughout. */
const PATH_PART_MAX = 1_024;
const RETRY_AFTER_SECONDS = 1;
const JSON_TYPE = 'application/json; charset=utf-8';
/** What pages of any origin may call. */
const OPEN_PREFIX = '/v1';
const IN_DOUBT =
  'The database went away while this was being committed, so that it may have been done. Repeat it with the same Idempotency-Key, or look first.';

type MadeHere = 'onCommitted' | 'isStopping' | 'receiveFile' | 'slowUploads';

/** What agents need of the HTTP server besides their connection. */
export interface BridgeDoor {
  readonly routes: readonly Pick<Route, 'method' | 'path'>[];
  readonly addFiles: (app: FastifyInstance, slowUploads: SlowUploads) => Promise<void>;
  /** Whether a request asks for such a connection. */
  wantsConnection(request: IncomingMessage): boolean;
}

export interface AppDeps extends Omit<DispatchDeps, MadeHere>, FileLinkDeps {
  readonly blobs: Blobs;
  /** The largest file that is taken. */
  readonly fileLimitMb: number;
  readonly ids: Ids;
  readonly log: Log;
  readonly routes: readonly Route[];
  readonly health: HealthChecks;
  /** Without it nothing is measured, and there is no page of it. */
  readonly metrics?: MetricsPage | null;
  /** Without it nothing is said of the API. */
  readonly documents?: Documents;
  /** Where agents dial in; without it none can. */
  readonly bridge?: BridgeDoor;
  readonly queuedWrites: () => number;
  readonly limits?: Partial<HttpLimits>;
}

export function createApp(deps: AppDeps): FastifyInstance {
  const limits = { ...HTTP_LIMITS, ...deps.limits };
  const slowUploads = createSlowUploads(deps.clock, limits);
  const clientErrors = createClientErrors(deps.ids, slowUploads);
  const {
    bridge,
    health: { isStopping },
  } = deps;
  const onRefused = () => deps.metrics?.requestRefused();
  const admission = createAdmission({ ...deps, limits, isStopping, onRefused });
  const app = fastify({
    serverFactory: (handler) => createListener({ handler, admission, clientErrors, limits, bridge }),
    logger: false,
    bodyLimit: limits.bodyMaxBytes,
    genReqId: () => deps.ids.make('request'),
    forceCloseConnections: 'idle',
    // While the server stops, the admission answers, in the envelope of all answers.
    return503OnClosing: false,
    clientErrorHandler: clientErrors.handle,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: PATH_PART_MAX },
    // A path that cannot be read reaches no hook.
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id);
      return sendError(deps, error, request, reply);
    },
  });
  decorateRequests(app);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done(refusalOfHead(request, limits) ?? undefined);
  });
  readBodies(app);
  app.setErrorHandler((error, request, reply) => sendError(deps, error, request, reply));
  const notFound = refuseUnknown(deps);
  app.setNotFoundHandler(notFound);
  addHealth(app, deps.health);
  addFileLinks(app, deps);
  if (bridge) app.register((files) => bridge.addFiles(files, slowUploads));
  if (deps.metrics) addMetrics(app, deps.metrics);
  if (deps.documents) addDocuments(app, deps.documents);
  const receiveFile = createReceiveFile(deps);
  const dispatch: DispatchDeps = { ...deps, isStopping, onCommitted: admission.committed, receiveFile, slowUploads };
  const isShared = (row: Route) => row.path.startsWith(`${OPEN_PREFIX}/`);
  const takesForms = (row: Route) => row.path.startsWith(`${SENDBLUE_PREFIX}/`);
  for (const row of deps.routes) if (!isShared(row) && !takesForms(row)) addRoute(app, dispatch, row);
  app.register(async (forms) => {
    readForms(forms);
    const rows = deps.routes.filter(takesForms);
    for (const row of rows) if (!row.hasForm) addRoute(forms, dispatch, row);
    await forms.register(async (uploads) => {
      await takeForms(uploads);
      for (const row of rows) if (row.hasForm) addRoute(uploads, dispatch, row);
    });
  });
  app.register(
    async (open) => {
      await allowOtherOrigins(open);
      open.setNotFoundHandler(notFound);
      const shared = deps.routes.filter(isShared);
      for (const row of shared) if (!row.rawBody) addRoute(open, dispatch, row, OPEN_PREFIX);
      await open.register(async (raw) => {
        takeBodiesRaw(raw);
        for (const row of shared) if (row.rawBody) addRoute(raw, dispatch, row, OPEN_PREFIX);
      });
    },
    { prefix: OPEN_PREFIX },
  );
  return app;
}

/** What is noted on a request on its way has its place from the start, which makes every request alike to the engine. */
function decorateRequests(app: FastifyInstance): void {
  app.decorateRequest('caller', null);
  app.decorateRequest('bodyText', '');
  app.decorateRequest('timing', null);
  app.decorateRequest('isDone', false);
  app.decorateRequest('claimedType', undefined);
  app.decorateRequest('isCutShort', false);
}

interface Listening {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  readonly admission: Admission;
  readonly clientErrors: ClientErrors;
  readonly limits: HttpLimits;
  readonly bridge: BridgeDoor | undefined;
}

/** Node's server, which the framework is handed what is admitted from. */
function createListener({ handler, admission, clientErrors, limits, bridge }: Listening): Server {
  const options = {
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    headersTimeout: limits.headersTimeoutMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    maxHeaderSize: limits.headMaxBytes,
    requireHostHeader: false,
    // Whoever asks for another protocol than the bridge's is answered in this one.
    shouldUpgradeCallback: (request: IncomingMessage) => bridge?.wantsConnection(request) ?? false,
  };
  const server = createServer(options, (request, response) => {
    clientErrors.begun(request, response);
    const place = admission.take(request, response);
    // One listener for all that follows a request to its end, and not `once`, which costs more: it comes once.
    response.on('close', () => {
      clientErrors.ended(request, response);
      place?.leave();
    });
    if (place) handler(request, response);
  });
  // An expectation that nobody here knows is not worth a refusal.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.maxConnections = limits.connectionsMax;
  return server;
}

/** Node would refuse a missing Host by itself, without an envelope. */
function refusalOfHead({ raw, headers, url }: FastifyRequest, limits: HttpLimits): ApiError | null {
  if (raw.httpVersion === '1.1' && headers.host === undefined) {
    return new ApiError('bad_request', { message: 'A request over HTTP/1.1 needs a Host header.' });
  }
  return url.length > limits.urlMaxBytes ? new ApiError('uri_too_long') : null;
}

function refuseUnknown(deps: AppDeps) {
  const rows = [
    ...HEALTH_ROUTES,
    ...FILE_LINK_ROUTES,
    ...(deps.bridge?.routes ?? []),
    ...(deps.metrics ? [METRICS_ROUTE] : []),
    ...(deps.documents ? DOCUMENT_ROUTES : []),
    ...deps.routes,
  ];
  return (request: FastifyRequest, reply: FastifyReply) => {
    const allowed = methodsAt(rows, request.url);
    if (allowed.length === 0) return sendError(deps, new ApiError('route_not_found'), request, reply);
    reply.header('allow', allowed.join(', '));
    return sendError(deps, new ApiError('method_not_allowed'), request, reply);
  };
}

/** A body is a JSON object in UTF-8, whatever the client says of its charset. */
function readBodies(app: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      request.bodyText = utf8.decode(Buffer.from(body));
      const parsed: unknown = JSON.parse(request.bodyText);
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new ApiError('invalid_json');
      done(null, parsed);
    } catch {
      done(new ApiError('invalid_json'));
    }
  });
}

/** Whatever the body is, it is read by the row that it is for. */
function takeBodiesRaw(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
}

/** Fastify's own refusals, by their code. */
const FASTIFY_REFUSALS: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_json',
  FST_ERR_BAD_URL: 'route_not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'route_not_found',
};

function sendError(
  { log, health, clock }: AppDeps,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const refusal = refusalOf(error);
  if (refusal.kind === 'internal') {
    log.error({ err: error, request: request.id, route: request.routeOptions.url }, 'a request failed');
  }
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter));
  showTiming(reply);
  if (health.isStopping()) reply.header('connection', 'close');
  if (request.isDone || refusal.kind === 'not_implemented') reply.header('x-should-retry', 'false');
  const dialect = dialectAt(request.url);
  reply.code(dialect.errorStatus(refusal));
  const { raw } = request;
  const body = dialect.errorBody(refusal, request.id);
  if (!request.isCutShort || raw.complete || raw.readableEnded) return reply.send(body);
  const text = JSON.stringify(body);
  reply.headers({ connection: 'close', 'content-type': JSON_TYPE, 'content-length': Buffer.byteLength(text) });
  return reply.send(lingeringAnswer(text, raw, clock));
}

/** What passes by itself. */
const UNAVAILABLE = [StorageUnavailableError, WriterOverloadedError, BlobsUnavailableError] as const;

function refusalOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof CommitInDoubtError) {
    return new ApiError('overloaded', { message: IN_DOUBT, retryAfter: RETRY_AFTER_SECONDS });
  }
  if (UNAVAILABLE.some((kind) => error instanceof kind)) {
    return new ApiError('overloaded', { retryAfter: RETRY_AFTER_SECONDS });
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = FASTIFY_REFUSALS[code];
  return new ApiError(known ?? 'internal_error');
}

/** The methods that the path takes, for `Allow`. */
function methodsAt(routes: readonly Pick<Route, 'method' | 'path'>[], url: string): string[] {
  const parts = (url.split('?')[0] ?? '').split('/');
  const matching = routes.filter((row) => {
    const wanted = row.path.split('/');
    return (
      wanted.length === parts.length && wanted.every((part, index) => part.startsWith(':') || part === parts[index])
    );
  });
  return [...new Set(matching.map((row) => row.method))];
}
