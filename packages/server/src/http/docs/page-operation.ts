/** One operation on the page: what it takes, what it answers, what it refuses, and an example of both sides. */
import { STREAM_TYPE } from './event-docs.ts';
import { blocks, type Html, html, inline, NO_HTML } from './html.ts';
import type { OpenApiDocument, Operation, Parameter, Response } from './open-api.ts';
import { linkTo, parameterFields, takenFields } from './page-fields.ts';

const JSON_TYPE = 'application/json';
/** Of every request with a body of ours; the page says it once. */
const LIST_SUFFIX = 'List';

export function operationSection(document: OpenApiDocument, path: string, method: string, operation: Operation): Html {
  const scopes = (operation.security ?? []).flatMap((one) => Object.values(one)[0] ?? []);
  return html`<article id="${operation.operationId}">
<h3><a href="#${operation.operationId}">${operation.summary.replace(/\.$/, '')}</a></h3>
<p class="where"><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></p>
<div class="columns"><div>
${blocks(operation.description ?? '')}
<p class="scope">Needs the scope ${scopes.map((scope, index) => html`${index === 0 ? '' : ' or '}<code>${scope}</code>`)}.</p>
${parameters('In the path', 'path', operation)}${parameters('Query', 'query', operation)}${body(operation)}${parameters('Headers', 'header', operation)}
${answer(operation)}${refusals(document, operation)}
</div><div class="examples">
${example('Request', curlOf(path, method, operation))}${answerExample(operation)}
</div></div></article>
`;
}

export function example(title: string, text: string): Html {
  return html`<figure><figcaption>${title}</figcaption><pre tabindex="0"><code>${text}</code></pre></figure>
`;
}

export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function parameters(title: string, place: Parameter['in'], { parameters: all }: Operation): Html {
  const here = (all ?? []).filter((one) => one.in === place);
  return here.length === 0 ? NO_HTML : html`<h4>${title}</h4>${parameterFields(here)}`;
}

function body({ requestBody }: Operation): Html {
  if (!requestBody) return NO_HTML;
  const schema = requestBody.content[JSON_TYPE]?.schema;
  if (!schema) return html`<h4>Body</h4><p>The bytes as they are.</p>`;
  return html`<h4>Body</h4>${takenFields(schema)}`;
}

function answer(operation: Operation): Html {
  const [status, response] = success(operation);
  const [type = '', media] = Object.entries(response.content ?? {})[0] ?? [];
  const named = media?.schema.$ref ?? media?.schema.allOf?.[0]?.$ref;
  if (named === undefined) return html`<h4>Answer</h4><p>${status}${type === '' ? '' : `, ${type}`}.</p>`;
  const isList = named.endsWith(LIST_SUFFIX);
  const what = linkTo(isList ? named.slice(0, -LIST_SUFFIX.length) : named);
  return html`<h4>Answer</h4><p>${status}, ${isList ? html`a list of ` : NO_HTML}${what}.</p>`;
}

function refusals({ components }: OpenApiDocument, operation: Operation): Html {
  const rows = Object.entries(operation.responses)
    .filter(([status]) => Number(status) >= 400)
    .flatMap(([status, { content }]) =>
      Object.entries(content?.[JSON_TYPE]?.examples ?? {}).map(([code, example]) => ({ status, code, example })),
    );
  const cells = rows.map(
    ({ status, code, example }) =>
      html`<tr><td>${status}</td><td><code>${code}</code></td><td>${messageOf('value' in example ? example.value : components.examples[code]?.value)}</td></tr>`,
  );
  return html`<details><summary>Errors (${rows.length})</summary><div class="scrolls"><table>${cells}</table></div></details>`;
}

/** Of an error's example, in the envelope of whichever dialect. */
export function messageOf(value: unknown): Html {
  const error: unknown = typeof value === 'object' && value !== null && 'error' in value ? value.error : value;
  const message: unknown = typeof error === 'object' && error !== null && 'message' in error ? error.message : '';
  return inline(String(message));
}

function answerExample(operation: Operation): Html {
  const [status, response] = success(operation);
  const [media] = Object.values(response.content ?? {});
  const value = media?.example;
  if (value === undefined) return NO_HTML;
  return example(`Answer ${status}`, typeof value === 'string' ? value : jsonText(value));
}

function success({ responses }: Operation): [string, Response] {
  return Object.entries(responses).find(([status]) => /^[23]/.test(status)) ?? ['', { description: '' }];
}

function credentialsOf({ security = [] }: Operation): string[] {
  if (!security.some((one) => 'keyId' in one)) return ['-H "Authorization: Bearer $TRUNKLINE_API_KEY"'];
  return ['-H "sb-api-key-id: $SENDBLUE_API_KEY"', '-H "sb-api-secret-key: $SENDBLUE_API_SECRET"'];
}

/** With the names that the command reads too. */
function curlOf(path: string, method: string, operation: Operation): string {
  const { parameters: all, requestBody } = operation;
  const isStream = STREAM_TYPE in (success(operation)[1].content ?? {});
  const values = (place: Parameter['in']) => (all ?? []).filter((one) => one.in === place && one.example !== undefined);
  const filled = values('path').reduce(
    (text, { name, example: value }) => text.replace(`{${name}}`, encodeURIComponent(String(value))),
    path,
  );
  const query = new URLSearchParams(
    values('query').map(({ name, example: value }): [string, string] => [name, String(value)]),
  );
  const url = `"$TRUNKLINE_URL${filled}${query.size === 0 ? '' : `?${query}`}"`;
  const json = requestBody?.content[JSON_TYPE]?.example;
  const isRaw = requestBody !== undefined && !(JSON_TYPE in requestBody.content);
  const data = json === undefined ? '' : jsonText(json).replaceAll('\n', '\n  ').replaceAll("'", "'\\''");
  const lines = [
    `curl ${isStream ? '-N ' : ''}${method === 'get' ? '' : `-X ${method.toUpperCase()} `}${url}`,
    ...credentialsOf(operation),
    ...(isRaw ? ["-H 'Content-Type: image/jpeg' -H 'X-Filename: photo.jpg'", '--data-binary @photo.jpg'] : []),
    ...(json === undefined ? [] : ["-H 'Content-Type: application/json'", `-d '${data}'`]),
  ];
  return lines.join(' \\\n  ');
}
