/** The document and the page that is rendered from it, as they are served. */
import { hash } from 'node:crypto';
import type { Page } from '../documents.ts';
import type { Route } from '../route.ts';
import { createDocument } from './document.ts';
import { renderPage } from './page.ts';
import { STYLE } from './page-style.ts';

const NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Pages {
  readonly openApi: Page;
  readonly docs: Page;
}

/** `address`: where this server says that it is. */
export function createPages(rows: readonly Route[], address: string): Pages {
  const document = createDocument(rows, address);
  return {
    openApi: pageOf('application/json; charset=utf-8', JSON.stringify(document), NOTHING),
    docs: pageOf('text/html; charset=utf-8', renderPage(document), `${NOTHING}; style-src ${STYLE_HASH}`),
  };
}

/** The page's one style may be there, and nothing else. */
const STYLE_HASH = `'sha256-${hash('sha256', STYLE, 'base64')}'`;

function pageOf(contentType: string, text: string, policy: string): Page {
  return { contentType, body: Buffer.from(text), etag: `"${hash('sha256', text, 'base64url')}"`, policy };
}
