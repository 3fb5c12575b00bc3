/** Takes in the file of a form as it comes: its bytes are never all in memory, and nothing else of the form is kept. */
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../domain/errors.ts';
import type { ReceivedFile } from '../files/received-file.ts';
import type { TakeFile } from './receive-file.ts';

const PARTS_MAX = 100;
/** Of a field that is no file, and that nobody asks for: what is more is thrown away as it comes. */
const FIELD_MAX_BYTES = 64 * 1024;
/** What a form may have beside its file. */
const REST_MAX_BYTES = 256 * 1024;
const FORM_TYPE = 'multipart/form-data';
const FILE_FIELD = 'file';

const UNREADABLE: Readonly<Record<string, string>> = {
  FST_PARTS_LIMIT: `The form has more than ${PARTS_MAX} parts.`,
  FST_PROTO_VIOLATION: 'The form has a field whose name cannot be used.',
  FST_INVALID_JSON_FIELD_ERROR: 'The form has a field that says that it is JSON, and is not.',
};

/** For the routes that are registered on the same instance. A form is not read before its route does. */
export async function takeForms(app: FastifyInstance): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  await app.register(multipart, {
    // The whole name is cleaned here, as that of every file.
    preservePath: true,
    throwFileSizeLimit: false,
    limits: {
      parts: PARTS_MAX,
      fileSize: Number.POSITIVE_INFINITY,
      fieldSize: FIELD_MAX_BYTES,
    },
  });
}

export interface FormReading {
  readonly take: TakeFile;
  readonly tooLarge: () => ApiError;
  /** Of the file. */
  readonly maxBytes: number;
}

/** Gives the form's one file, whatever its field is called. Throws the refusal that applies. */
export async function receiveForm(request: FastifyRequest, reading: FormReading): Promise<ReceivedFile> {
  const { take, tooLarge } = reading;
  if (!request.isMultipart()) {
    throw new ApiError('unsupported_media_type', { message: `Send the file in a form, as ${FORM_TYPE}.` });
  }
  const maxBytes = reading.maxBytes + REST_MAX_BYTES;
  // What is said to be too long is not waited for.
  if (Number(request.headers['content-length']) > maxBytes) throw tooLarge();
  const form = new OpenForm(request, maxBytes, tooLarge);
  let file: ReceivedFile | null = null;
  try {
    for (let part = await form.nextFile(); part !== null; part = await form.nextFile()) {
      if (file) throw new ApiError('bad_request', { message: 'A form may have one file, and this one has more.' });
      file = await take(part.file, { filename: headerText(part.filename), type: part.mimetype });
    }
    await form.end();
    if (file) return file;
    const message = `The form has no file: send one in the field '${FILE_FIELD}'.`;
    throw new ApiError('missing_required_parameter', { param: FILE_FIELD, message });
  } catch (error) {
    await file?.release();
    throw form.isOver ? tooLarge() : error;
  } finally {
    form.close();
  }
}

/** A character for each byte, as names in headers come. */
function headerText(filename: string | undefined): string | undefined {
  return filename === undefined ? undefined : Buffer.from(filename).toString('latin1');
}

interface FilePart {
  readonly file: Readable;
  readonly filename: string | undefined;
  readonly mimetype: string;
}

/** The files of a form as they come, for as long as it has not too many bytes. */
class OpenForm {
  isOver = false;
  readonly #raw: FastifyRequest['raw'];
  readonly #parts: ReturnType<FastifyRequest['parts']>;
  readonly #over = Promise.withResolvers<never>();
  readonly #count: (chunk: Uint8Array) => void;
  #isReading = false;
  #file: Readable | null = null;

  constructor(request: FastifyRequest, maxBytes: number, tooLarge: () => ApiError) {
    this.#raw = request.raw;
    this.#parts = request.parts();
    let seen = 0;
    this.#count = (chunk) => {
      seen += chunk.length;
      if (seen <= maxBytes || this.isOver) return;
      this.isOver = true;
      this.#over.reject(tooLarge());
      this.#file?.destroy();
    };
    // Heard by whoever waits for what comes next: while a file is being read, that breaks off by itself.
    this.#over.promise.catch(() => undefined);
  }

  /** The part before has to be read to its end. Null: there is none any more. */
  async nextFile(): Promise<FilePart | null> {
    for (;;) {
      const next = this.#parts.next().catch((error: unknown) => {
        throw unreadable(error);
      });
      // To be counted, the bytes must flow already.
      if (!this.#isReading) this.#raw.on('data', this.#count);
      this.#isReading = true;
      const { done, value } = await Promise.race([next, this.#over.promise]);
      if (done) return null;
      if (value.type !== 'file') continue;
      this.#file = value.file;
      return value;
    }
  }

  /** Reads what stands behind the last part: the next request comes after it. */
  async end(): Promise<void> {
    if (this.#raw.readableEnded) return;
    const ended = finished(this.#raw).catch(() => {
      throw new ApiError('bad_request', { message: 'The body broke off.' });
    });
    this.#raw.resume();
    await Promise.race([ended, this.#over.promise]);
  }

  /** What still comes is for whoever answers. */
  close(): void {
    this.#raw.off('data', this.#count).unpipe().pause();
    this.#file?.destroy();
  }
}

/** What is wrong with a form, in words of ours. */
function unreadable(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = UNREADABLE[code] ?? `The form is not ${FORM_TYPE}, or names no boundary.`;
  return new ApiError('bad_request', { message });
}
