/** `/docs`: the reference as one page, readable without JavaScript, rendered from the document and nothing else. */
import { blocks, type Html, html, inline, joined } from './html.ts';
import type { OpenApiDocument, Operation } from './open-api.ts';
import { anchorOf, fieldsOf, parameterFields } from './page-fields.ts';
import { example, jsonText, messageOf, operationSection } from './page-operation.ts';
import { STYLE } from './page-style.ts';

/** Schemas that are no resource: lists, envelopes and events stand elsewhere on the page. */
const NO_RESOURCE = /(?:List|Event)$|^WithRequestId$/;
const JSON_TYPE = 'application/json';

export function renderPage(document: OpenApiDocument): string {
  const { title, summary } = document.info;
  const chapters = chaptersOf(document);
  const groups = groupsOf(document);
  const contents = contentsOf(chapters, groups);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} API</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<header class="top"><a class="brand" href="#top">${title}</a> <span>API reference</span> <a class="raw" href="/openapi.json">openapi.json</a></header>
<nav class="side" aria-label="Contents">${contents}</nav>
<main id="top">
<h1>${title} API</h1>
<p class="lead">${inline(summary)}</p>
<details class="contents"><summary>Contents</summary><nav aria-label="Contents">${contents}</nav></details>
${chapters.map(({ title: heading, text }) => html`<section id="${idOf(heading)}"><h2>${heading}</h2>${blocks(text)}</section>`)}
${groups.map((group) => groupSection(document, group))}
${resourceSection(document)}
${errorSection(document)}
</main>
</body>
</html>
`;
  return page.html;
}

interface Chapter {
  readonly title: string;
  readonly text: string;
}

/** The headings of the document's description; what stands before them is its summary again. */
function chaptersOf({ info }: OpenApiDocument): readonly Chapter[] {
  const [, ...parts] = info.description.split(/^## /m);
  return parts.map((part) => {
    const [title = '', ...lines] = part.split('\n');
    return { title, text: lines.join('\n').trim() };
  });
}

interface Placed {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

interface Group {
  readonly name: string;
  readonly description: string;
  readonly operations: readonly Placed[];
  readonly events: readonly Placed[];
}

function groupsOf(document: OpenApiDocument): readonly Group[] {
  const placed = (items: OpenApiDocument['paths']): Placed[] =>
    Object.entries(items).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
    );
  const operations = placed(document.paths);
  const events = placed(document.webhooks);
  return document.tags.map(({ name, description }) => ({
    name,
    description,
    operations: operations.filter(({ operation }) => operation.tags.includes(name)),
    events: events.filter(({ operation }) => operation.tags.includes(name)),
  }));
}

function contentsOf(chapters: readonly Chapter[], groups: readonly Group[]): Html {
  const link = (id: string, text: string | Html) => html`<li><a href="#${id}">${text}</a></li>`;
  const parts = groups.map(
    ({ name, operations, events }) =>
      html`<h2><a href="#${idOf(name)}">${name}</a></h2><ul>${[...operations, ...events].map(
        ({ path, method, operation }) => link(operation.operationId, entry(path, method, operation)),
      )}</ul>`,
  );
  return html`<h2>Basics</h2><ul>${chapters.map(({ title }) => link(idOf(title), title))}</ul>${parts}<h2>Reference</h2><ul>${link('resources', 'Resources')}${link('error-codes', 'Error codes')}</ul>`;
}

function entry(path: string, method: string, { operationId }: Operation): Html {
  if (!path.startsWith('/')) return html`${path}`;
  return html`${operationId} <span class="method ${method}">${method.toUpperCase()}</span>`;
}

function groupSection(document: OpenApiDocument, { name, description, operations, events }: Group): Html {
  const sections = operations.map(({ path, method, operation }) => operationSection(document, path, method, operation));
  return html`<section id="${idOf(name)}"><h2>${name}</h2><p>${inline(description)}</p>
${sections}${events.length === 0 ? joined([]) : eventSections(document, events)}</section>
`;
}

/** Every event has the same headers, so they stand before all of them. */
function eventSections({ components }: OpenApiDocument, events: readonly Placed[]): Html {
  const headers = events[0]?.operation.parameters ?? [];
  return html`<article id="deliveries"><h3><a href="#deliveries">What a webhook is sent</a></h3>
<p>Each delivery is a POST of JSON with these headers. Any 2xx within 15 seconds takes it; anything else is tried again, twelve times over about 76 hours, and 410 disables the webhook.</p>
${parameterFields(headers)}</article>
${events.map(({ path, operation }) => {
  const media = operation.requestBody?.content[JSON_TYPE];
  const schema = components.schemas[media?.schema.$ref?.split('/').at(-1) ?? ''] ?? {};
  return html`<article id="${operation.operationId}"><h3><a href="#${operation.operationId}"><code>${path}</code></a></h3>
<div class="columns"><div><p>${inline(operation.summary)}</p>${fieldsOf(schema)}</div>
<div class="examples">${example('Delivery', jsonText(media?.example))}</div></div></article>
`;
})}`;
}

function resourceSection({ components }: OpenApiDocument): Html {
  const resources = Object.entries(components.schemas).filter(([name]) => !NO_RESOURCE.test(name));
  return html`<section id="resources"><h2>Resources</h2><p>Every key is always there. An answer that is one resource has <code>request_id</code> as well.</p>
${resources.map(
  ([
    name,
    schema,
  ]) => html`<article id="${anchorOf(name)}"><h3><a href="#${anchorOf(name)}">${name}</a></h3><p>${inline(schema.description ?? '')}</p>${fieldsOf(schema)}</article>
`,
)}</section>
`;
}

function errorSection({ components }: OpenApiDocument): Html {
  const rows = Object.entries(components.examples).map(
    ([code, { summary = '', value }]) =>
      html`<tr id="error-${code}"><td>${summary.replace('Status ', '')}</td><td><code>${code}</code></td><td>${messageOf(value)}</td></tr>`,
  );
  return html`<section id="error-codes"><h2>Error codes</h2><div class="scrolls"><table>${rows}</table></div></section>`;
}

function idOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^a-z]+/g, '-');
}
