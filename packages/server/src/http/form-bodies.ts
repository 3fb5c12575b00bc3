/** Bodies as HTML forms send them, where a dialect takes them beside JSON. */
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../domain/errors.ts';

const FIELD_PART = /^([^[\]]+)\[([^[\]]+)\]$/;

/** Each field is a text; `a[b]` is the field `b` of the object `a`. Of two with one name the last counts. */
export function readForms(app: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      request.bodyText = utf8.decode(Buffer.from(body));
      done(null, fieldsOf(request.bodyText));
    } catch {
      done(new ApiError('invalid_json', { message: 'The form must be in UTF-8.' }));
    }
  });
}

function fieldsOf(text: string): Record<string, unknown> {
  const whole: Record<string, unknown> = {};
  const parts = new Map<string, Record<string, string>>();
  for (const [name, value] of new URLSearchParams(text)) {
    const [, object, field] = FIELD_PART.exec(name) ?? [];
    if (object === undefined || field === undefined) whole[name] = value;
    else parts.set(object, { ...parts.get(object), [field]: value });
  }
  return Object.assign(Object.create(null), whole, Object.fromEntries(parts)) as Record<string, unknown>;
}
