/**
 * Every answer and every event that a test sees is held against what the rows promise: the shape to the key, and of a
 * refusal that the route can give it at all. The harness does it, so that each test proves the document as well.
 */
import { z } from 'zod';
import { V1 } from '../src/http/dialect.ts';
import { REFUSALS_OF_ANY_REQUEST, refusalsOf } from '../src/http/refusals.ts';
import type { AnswerShape, Route } from '../src/http/route.ts';
import { errorResponseSchema, listSchemaOf, requestIdSchema } from '../src/wire/envelopes.ts';
import { EVENT_DATA, eventBodySchema } from '../src/wire/event-schemas.ts';
import { RESOURCES } from '../src/wire/resources.ts';
import { sendblueErrorSchema } from '../src/wire/sendblue-schemas.ts';

export interface Seen {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const shapes = new Map<AnswerShape, z.ZodType>();

/** Throws a sentence where the answer is not what the route's row says. What no route answered is nobody's. */
export function expectDocumentedAnswer(routes: readonly Route[], { method, url, status, body }: Seen): void {
  const row = routes.find((one) => one.method === method && isAt(one.path, url));
  if (!row) return;
  if (status >= 400) {
    const code = codeOf(row, body);
    const codes: readonly string[] = [...refusalsOf(row), ...REFUSALS_OF_ANY_REQUEST];
    if (!codes.includes(code)) throw new Error(`The row of ${row.name} does not name its refusal '${code}'.`);
    return;
  }
  if (status !== row.status) throw new Error(`${row.name} answered ${status}, where its row says ${row.status}.`);
  if (row.answer !== null) fitted(row.name, shapeOf(row.answer, row), body);
}

function codeOf({ name, dialect }: Route, body: unknown): string {
  if (dialect === V1) return fitted(name, errorResponseSchema, body).error.code;
  return fitted(name, sendblueErrorSchema, body).error_reason;
}

/** Throws a sentence where a delivery's or the stream's body is not what its event's schema says. */
export function expectDocumentedEvent(body: unknown): void {
  const { event } = fitted('An event', z.looseObject({ event: z.string() }), body);
  if (!isDocumented(event)) throw new Error(`Nobody knows the event '${event}'.`);
  fitted(event, eventBodySchema(event), body);
}

function isDocumented(event: string): event is keyof typeof EVENT_DATA {
  return Object.hasOwn(EVENT_DATA, event);
}

function fitted<T extends z.ZodType>(name: string, schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(`${name} is not as documented: ${z.prettifyError(parsed.error)} ${JSON.stringify(value)}`);
}

function shapeOf(answer: NonNullable<AnswerShape>, { dialect }: Route): z.ZodType {
  const known = shapes.get(answer);
  if (known) return known;
  const shape = answer.endsWith('[]')
    ? listSchemaOf(resource(answer.slice(0, -2)))
    : resource(answer).extend(dialect === V1 ? requestIdSchema.shape : {});
  shapes.set(answer, shape);
  return shape;
}

function resource(name: string): z.ZodObject {
  const found = Object.entries(RESOURCES).find(([one]) => one === name)?.[1];
  if (!found) throw new Error(`There is no resource '${name}'.`);
  return found;
}

function isAt(path: string, url: string): boolean {
  const parts = (url.split('?')[0] ?? '').split('/');
  const wanted = path.split('/');
  return wanted.length === parts.length && wanted.every((part, index) => part.startsWith(':') || part === parts[index]);
}
