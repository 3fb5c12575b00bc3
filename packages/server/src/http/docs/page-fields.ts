/** Fields on the page: of a request, of a resource, of whatever is in one. */
import { type Html, html, inline, NO_HTML } from './html.ts';
import { SCHEMAS_PATH } from './json-schema.ts';
import type { Parameter, Schema } from './open-api.ts';

export function fieldsOf(schema: Schema): Html {
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) return NO_HTML;
  const required = new Set(schema.required ?? []);
  const rows = fields.map(([name, field]) => fieldRow(name, field, required.has(name) ? '' : 'optional'));
  return html`<dl class="fields">${rows}</dl>`;
}

/** Of a request, whose fields may mostly be left out: those that may not are marked. */
export function takenFields(schema: Schema): Html {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) =>
    fieldRow(name, field, required.has(name) ? 'required' : ''),
  );
  return html`<dl class="fields">${rows}</dl>`;
}

export function parameterFields(parameters: readonly Parameter[]): Html {
  const rows = parameters.map(({ name, schema, required, description }) =>
    fieldRow(name, { ...schema, description }, required ? 'required' : ''),
  );
  return html`<dl class="fields">${rows}</dl>`;
}

/** The name of the schema that is referred to, linked to where it stands on the page. */
export function linkTo($ref: string): Html {
  const name = $ref.replace(SCHEMAS_PATH, '');
  return html`<a href="#${anchorOf(name)}">${name}</a>`;
}

export function anchorOf(schemaName: string): string {
  return `resource-${schemaName}`;
}

function fieldRow(name: string, field: Schema, mark: string): Html {
  const inside = field.properties ? field : field.items?.properties ? field.items : null;
  return html`<div><dt><code>${name}</code> <span class="type">${typeOf(field)}</span>${markOf(mark)}</dt>
<dd>${inline(field.description ?? '')}${valuesOf(field)}${inside ? fieldsOf(inside) : NO_HTML}</dd></div>
`;
}

function markOf(mark: string): Html {
  return mark === '' ? NO_HTML : html` <span class="${mark}">${mark}</span>`;
}

function typeOf({ $ref, type, items, anyOf, const: only }: Schema): Html {
  if ($ref !== undefined) return linkTo($ref);
  if (anyOf !== undefined) return html`${anyOf.map((one, index) => html`${index === 0 ? '' : ' or '}${typeOf(one)}`)}`;
  if (only !== undefined) return html`<code>${JSON.stringify(only)}</code>`;
  const types = [type ?? []].flat();
  const names = types.map((one) => (one === 'array' && items ? html`list of ${typeOf(items)}` : html`${one}`));
  return html`${names.map((one, index) => html`${index === 0 ? '' : ' or '}${one}`)}`;
}

function valuesOf(field: Schema): Html {
  const values = (field.enum ?? field.items?.enum ?? []).filter((value) => value !== null);
  if (values.length === 0) return NO_HTML;
  return html` <span class="values">One of ${values.map(
    (value, index) => html`${index === 0 ? '' : ', '}<code>${String(value)}</code>`,
  )}.</span>`;
}
