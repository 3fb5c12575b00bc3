/** The parts that the schemas of answers are made of. They are loaded only where a document or a test asks for them. */
import { z } from 'zod';

/** An id with its prefix. What follows the prefix is opaque to clients. */
export function idOf(prefix: string, sentence: string) {
  return z
    .string()
    .regex(new RegExp(`^${prefix}_`))
    .describe(sentence);
}

export function momentOf(sentence: string) {
  return z.int().min(0).describe(`${sentence} Unix milliseconds.`);
}

export function textOf(sentence: string) {
  return z.string().describe(sentence);
}

export function flagOf(sentence: string) {
  return z.boolean().describe(sentence);
}

export function countOf(sentence: string) {
  return z.int().min(0).describe(sentence);
}

export function addressOf(sentence: string) {
  return z.string().meta({ format: 'uri', description: sentence });
}
