/**
 * The types of the SDK that are made from `openapi/v1.json`, so from the schemas that the server answers by. What its
 * users are to see otherwise is said in the tables of the parts, or written by hand on top.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { binOf, ROOT } from '../../../scripts/run-step.ts';
import { eventDataText } from './event-data-text.ts';
import type { Document } from './openapi-document.ts';
import { requestsText } from './requests-text.ts';
import { resourcesText } from './resources-text.ts';
import { docText } from './type-of-schema.ts';

/** Where the types stand that the generated files name. */
const IMPORTS: Readonly<Record<string, string>> = {
  StoredOutboxItem: 'stored-outbox-item.ts',
  WebhookEventName: 'webhook-events.ts',
  ExtendedWebhookEventName: 'webhook-events.ts',
};
const HEAD =
  "Times are Unix milliseconds, and null says that there is no value. Made by `npm run generate` from `openapi/v1.json`: what stands here is changed in the server's schemas.";

interface GeneratedType {
  readonly path: string;
  readonly text: string;
}

/** Takes the text of `openapi/v1.json`. */
export function generateTypes(documentText: string): readonly GeneratedType[] {
  const document = JSON.parse(documentText) as Document;
  const resources = resourcesText(document);
  const known = namesIn(resources, 'resources.ts');
  return [
    file('resources.ts', 'What the API gives, as the client gives it.', resources, {}),
    file('event-data.ts', 'The data of every event, as the client gives it.', eventDataText(document), known),
    file('requests.ts', 'What requests to the API take, as the client takes it.', requestsText(document), known),
  ];
}

function namesIn(text: string, from: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^export \w+ (\w+)/gm)].map(([, name = '']) => [name, from]));
}

/** The whole file, as the formatter of the repository has it. */
function file(name: string, sentence: string, body: string, known: Readonly<Record<string, string>>): GeneratedType {
  const path = join(ROOT, 'packages/sdk/src', name);
  const code = body.replaceAll(/\/\*\*.*?\*\//gs, '');
  const places: Record<string, string[]> = {};
  for (const [type, from] of Object.entries({ ...known, ...IMPORTS })) {
    if (new RegExp(`\\b${type}\\b`).test(code)) places[from] = [...(places[from] ?? []), type].sort();
  }
  const imports = Object.keys(places)
    .sort()
    .map((from) => `import type { ${places[from]?.join(', ')} } from './${from}';\n`);
  const input = `${docText(`${sentence} ${HEAD}`)}${imports.join('')}\n${body}`;
  const words = [binOf('@biomejs/biome', 'biome'), 'format', `--stdin-file-path=packages/sdk/src/${name}`];
  return { path, text: execFileSync(process.execPath, words, { cwd: ROOT, input, encoding: 'utf8' }) };
}
