/**
 * Tells a delivery of your server from anything else. The signature is checked before the body is read as JSON, so that
 * what a stranger sends is refused for one reason alone.
 */
import { asFields, type Fields } from './answer.ts';
import { MessagesError, SignatureVerificationError } from './errors.ts';
import { toCamelCaseKeys } from './key-case.ts';
import type { AnyWebhookEvent, WebhookEvent } from './webhook-events.ts';
import { areEqual, fromBase64, fromHex, ownSignature, standardSignature } from './webhook-signature.ts';

const TOLERANCE_DEFAULT_MS = 300_000;
/** A body that names no end of timestamps is no reason to sign as often. */
const CANDIDATES_MAX = 8;
/** What is read of a request before its signature can be checked. */
const UNREAD_MAX_BYTES = 16 * 1024 * 1024;
const STANDARD_VERSION = 'v1,';

export interface VerifyWebhookOptions {
  /** How many milliseconds a delivery may be old, or ahead; 300,000 by default. */
  readonly tolerance?: number | undefined;
}

/** What frameworks give of headers: a `Headers`, or an object with names in lower case. */
export type HeadersLike =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** The body exactly as it came, before anything parsed it. */
export type RawBody = string | Uint8Array | ArrayBuffer;

/** A delivery as most frameworks have it. */
export interface ReceivedDelivery {
  readonly body: RawBody;
  readonly headers: HeadersLike;
}

/** A request of `node:http` whose body nobody has read yet. */
export interface UnreadRequest extends AsyncIterable<Uint8Array | string> {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The signature as a header gives it; several where a secret was just replaced. */
export type SignatureHeader = string | readonly string[] | null | undefined;

/** Gives the event of a delivery that is your server's, unchanged and recent. Throws `SignatureVerificationError`. */
export function verifyWebhook<Event extends AnyWebhookEvent = WebhookEvent>(
  body: RawBody,
  signature: SignatureHeader,
  secret: string,
  options?: VerifyWebhookOptions,
): Promise<Event>;
export function verifyWebhook<Event extends AnyWebhookEvent = WebhookEvent>(
  delivery: Request | ReceivedDelivery | UnreadRequest,
  secret: string,
  options?: VerifyWebhookOptions,
): Promise<Event>;
export async function verifyWebhook<Event extends AnyWebhookEvent = WebhookEvent>(
  source: RawBody | Request | ReceivedDelivery | UnreadRequest,
  signatureOrSecret: SignatureHeader,
  secretOrOptions?: string | VerifyWebhookOptions,
  lastOptions?: VerifyWebhookOptions,
): Promise<Event> {
  const isBare = isRawBody(source) || typeof secretOrOptions === 'string';
  const secret = requireSecret(isBare ? secretOrOptions : signatureOrSecret);
  const options = (isBare ? lastOptions : secretOrOptions) ?? {};
  const { tolerance = TOLERANCE_DEFAULT_MS } = typeof options === 'string' ? {} : options;
  const body = await readBytes(isBare ? source : bodyOf(source));
  const timestamp = isBare
    ? await signedInBody(body, listOf(signatureOrSecret), secret)
    : await signedInHeaders(body, headersOf(source), secret);
  if (!(Math.abs(Date.now() - timestamp) <= tolerance)) throw refused('The delivery is too old, or from the future.');
  return eventOf(body) as Event;
}

type ReadHeader = (name: string) => string | undefined;

/** Without a header the signed time can only be the body's. Its number is found without believing anything else there. */
async function signedInBody(body: Uint8Array, signatures: readonly string[], secret: string): Promise<number> {
  const given = signatures.flatMap((text) => fromHex(text.trim()) ?? []);
  if (given.length === 0) throw refused('There is no signature.');
  const text = new TextDecoder().decode(body);
  // In a JSON string a quote has a backslash before it: no message text can look like this key.
  const numbers = [...text.matchAll(/"timestamp"\s*:\s*(\d{1,16})(?!\d)/g)].map(([, digits = '']) => digits);
  for (const digits of new Set(numbers.slice(-CANDIDATES_MAX))) {
    if (isOneOf(given, await ownSignature(secret, digits, body))) return Number(digits);
  }
  throw refused('The signature is not of this body and this secret.');
}

async function signedInHeaders(body: Uint8Array, read: ReadHeader, secret: string): Promise<number> {
  const own = [read('x-webhook-signature'), read('x-webhook-signature-previous')].filter(isText);
  if (own.length > 0) {
    const timestamp = requireNumber(read('x-webhook-timestamp'));
    const given = own.flatMap((text) => fromHex(text.trim()) ?? []);
    if (isOneOf(given, await ownSignature(secret, timestamp, body))) return Number(timestamp);
    throw refused('The signature is not of this body and this secret.');
  }
  const seconds = requireNumber(read('webhook-timestamp'));
  const given = (read('webhook-signature') ?? '')
    .split(' ')
    .flatMap((text) =>
      text.startsWith(STANDARD_VERSION) ? (fromBase64(text.slice(STANDARD_VERSION.length)) ?? []) : [],
    );
  const expected = await standardSignature(secret, read('webhook-id') ?? '', seconds, body);
  if (expected && isOneOf(given, expected)) return Number(seconds) * 1_000;
  throw refused('The signature is not of this body and this secret.');
}

/** Every candidate is compared, so that the time does not tell which one it was. */
function isOneOf(given: readonly Uint8Array[], expected: Uint8Array): boolean {
  return given.filter((one) => areEqual(one, expected)).length > 0;
}

/** Only now, when it is known whose it is. */
function eventOf(body: Uint8Array): Fields {
  const event = asFields(toCamelCaseKeys(parse(body)));
  if (typeof event?.['event'] !== 'string') throw refused('The body is signed, and is no event.');
  return event;
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw refused(`The body is signed, and is no JSON (${error instanceof Error ? error.name : 'unknown'}).`);
  }
}

async function readBytes(source: unknown): Promise<Uint8Array> {
  const body: unknown = await source;
  if (typeof body === 'string') return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  throw refused('The body was parsed already: hand over the bytes as they came.');
}

/** Of a `Request` and of a request of `node:http` the body is read here. */
function bodyOf(source: unknown): unknown {
  if (isObject(source) && typeof source['arrayBuffer'] === 'function')
    return readRequest(source['arrayBuffer'].bind(source));
  const body = isObject(source) ? source['body'] : undefined;
  // Frameworks put what they parsed on the request itself.
  if (body !== undefined && body !== null) return body;
  if (isObject(source) && isIterable(source)) return gather(source);
  throw refused('There is no body.');
}

async function readRequest(read: () => Promise<ArrayBuffer>): Promise<ArrayBuffer> {
  try {
    return await read();
  } catch (error) {
    throw unread(error);
  }
}

async function gather(source: AsyncIterable<unknown>): Promise<Uint8Array> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for await (const piece of source) {
      const bytes = Uint8Array.from(await readBytes(piece));
      size += bytes.length;
      // Whose it is, is not known yet.
      if (size > UNREAD_MAX_BYTES) throw refused('The body is larger than a delivery is.');
      pieces.push(bytes);
    }
  } catch (error) {
    throw unread(error);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

function unread(error: unknown): SignatureVerificationError {
  if (error instanceof SignatureVerificationError) return error;
  return refused(`The body was read before, or broke off (${error instanceof Error ? error.name : 'unknown'}).`);
}

function headersOf(source: unknown): ReadHeader {
  const headers = isObject(source) ? source['headers'] : undefined;
  if (!isObject(headers)) throw refused('There are no headers.');
  const { get } = headers;
  if (typeof get === 'function') return (name) => textOf(get.call(headers, name));
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return (name) => textOf(listOf(byName.get(name))[0]);
}

function listOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter(isText);
}

function requireNumber(text: string | undefined): string {
  if (text === undefined || !/^\d{1,16}$/.test(text)) throw refused('There is no time of the delivery.');
  return text;
}

/** A handler without its secret is broken, and no delivery is to blame for it. */
function requireSecret(secret: unknown): string {
  if (isText(secret)) return secret;
  const message = 'verifyWebhook needs the secret of the webhook.';
  throw new MessagesError({ status: 0, type: 'configuration_error', code: 'missing_secret', message });
}

function refused(message: string): SignatureVerificationError {
  return new SignatureVerificationError(message);
}

function isRawBody(source: unknown): boolean {
  return typeof source === 'string' || source instanceof Uint8Array || source instanceof ArrayBuffer;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isIterable(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function textOf(value: unknown): string | undefined {
  return isText(value) ? value : undefined;
}
