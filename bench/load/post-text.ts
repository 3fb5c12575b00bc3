/** A simulated phone texts a line. */
import type { Pool } from 'undici';

const SHOWN_CHARACTERS = 300;

/** Resolves when the server has reported the text. */
export async function postText(
  pool: Pool,
  loop: { readonly key: string; readonly line: string },
  from: string,
  text: string,
): Promise<void> {
  const answer = await pool.request({
    method: 'POST',
    path: '/simulator/v1/messages',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${loop.key}` },
    body: JSON.stringify({ from, to: loop.line, text }),
  });
  const body = await answer.body.text();
  if (answer.statusCode !== 201) {
    throw new Error(`A text was answered ${answer.statusCode}: ${body.slice(0, SHOWN_CHARACTERS)}`);
  }
}
