/** The types that are made from the OpenAPI document are those of the document as it is. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OPENAPI_FILE } from '../../server/test/openapi-file.ts';
import type { EventsParams } from '../src/index.ts';
import { generateTypes } from './generated-types.ts';

/** What a stream is asked for beside the signal that ends it. */
const STREAM_KEYS = { from: true, events: true, after: true } satisfies Record<
  Exclude<keyof EventsParams, 'signal'>,
  true
>;
const published = readFileSync(OPENAPI_FILE, 'utf8');

/** What is generated when one text of the document is another one. */
function generatedWith(found: string, instead: string): string {
  expect(published).toContain(found);
  return generateTypes(published.replaceAll(found, instead))
    .map(({ text }) => text)
    .join('');
}

describe('the generated types', () => {
  it('are those of openapi/v1.json; else run npm run generate', () => {
    for (const { path, text } of generateTypes(published)) expect(readFileSync(path, 'utf8'), path).toBe(text);
  });

  it('follow the document: its sentences, its enumerations, what may be null and what may be left out', () => {
    expect(generatedWith('What it says. Null: it has no text.', 'Its words.')).toContain('/** Its words. */');
    expect(generatedWith('"question"', '"shrug"')).toContain("| 'emphasize' | 'shrug';");
    const message = JSON.parse(published);
    message.components.schemas.Message.properties.guid.type = ['string', 'null'];
    message.components.schemas.Reaction.required = [];
    message.components.schemas.Line.properties.driver_kind = { type: 'string', description: 'What connects it.' };
    const [resources] = generateTypes(JSON.stringify(message));
    expect(resources?.text).toContain('  guid: string | null;');
    expect(resources?.text).toContain('  isFromMe?: boolean | undefined;');
    expect(resources?.text).toContain('  /** What connects it. */\n  driverKind?: string | undefined;');
  });

  it('give a new resource an interface, and an event whose data is like that of another the same', () => {
    const document = JSON.parse(published);
    const { schemas } = document.components;
    schemas.Poll = { type: 'object', properties: { poll_id: { type: 'integer' } }, required: ['poll_id'] };
    expect(generateTypes(JSON.stringify(document))[0]?.text).toContain('export interface Poll {\n  pollId: number;\n}');
    schemas.TypingStoppedEvent.properties.data.properties.seen_at = { type: 'integer' };
    expect(() => generateTypes(JSON.stringify(document))).toThrow('The data of typing.stopped');
  });

  it('are those of the document also where a person writes them', () => {
    const taken = JSON.parse(published).paths['/v1/events'].get.parameters as { name: string; in: string }[];
    expect(taken.filter((one) => one.in === 'query').map((one) => one.name)).toEqual(Object.keys(STREAM_KEYS));
  });

  it('are not guessed: a word of JSON schema that nothing is known of is refused', () => {
    const document = JSON.parse(published);
    document.components.schemas.Line.properties.label = { not: { type: 'string' } };
    expect(() => generateTypes(JSON.stringify(document))).toThrow('a schema with not');
  });
});
