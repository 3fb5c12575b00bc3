/** HTML as text, with everything that is not markup escaped. */

/** Markup that may stand as it is. Whatever is a plain string is text. */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | readonly Html[];

/** A template whose parts are escaped unless they are markup already. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return {
    html: strings.map((text, index) => `${text}${index < parts.length ? partOf(parts[index] ?? '') : ''}`).join(''),
  };
}

export const NO_HTML: Html = { html: '' };

/** A sentence with its `code`. */
export function inline(text: string): Html {
  const parts = text.split('`');
  return joined(parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`)));
}

/** The little of Markdown that the document's descriptions have: paragraphs and lists. */
export function blocks(text: string): Html {
  const paragraphs = text.split(/\n{2,}/).filter((one) => one.trim() !== '');
  return joined(paragraphs.map(blockOf));
}

export function joined(parts: readonly Html[]): Html {
  return { html: parts.map((part) => part.html).join('') };
}

function blockOf(text: string): Html {
  const lines = text.split('\n');
  if (!lines.every((line) => line.startsWith('- '))) return html`<p>${inline(lines.join(' '))}</p>`;
  return html`<ul>${lines.map((line) => html`<li>${inline(line.slice(2))}</li>`)}</ul>`;
}

function partOf(part: Part): string {
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part));
  return 'html' in part ? part.html : joined(part).html;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
