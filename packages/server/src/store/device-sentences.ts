/** A sentence on the tables of devices and their uploads and on each column, for `schema-sentences.ts`. */

export const DEVICE_SENTENCES = {
  upload_parts: {
    table: 'Pieces of files that agents bring, until all of a file is there.',
    columns: {
      line_ref: 'The line that the file came in on.',
      name: 'The name of the file among all that the line brings.',
      start: 'Where in the file the piece begins.',
      size: 'Its size in bytes.',
      blob: 'The blob that has its bytes.',
      created_at: 'When the row was made.',
    },
  },
  devices: {
    table: 'Devices: computers whose agents may dial in, each for some lines. The token itself is stored nowhere.',
    columns: {
      ref: 'The integer by which other tables refer to the row.',
      id: 'The public id.',
      account_ref: 'Whose it is.',
      name: 'What its owner calls it.',
      prefix: 'The beginning of the token, by which a person recognises it.',
      token_hash: 'The SHA-256 of the whole token, in hex.',
      line_refs: 'The lines that it may serve, a JSON array that is never empty.',
      created_at: 'When the row was made.',
      revoked_at: 'When it was revoked, or null.',
      connected_at: 'When its newest connection began, or null before the first.',
      disconnected_at: 'When that connection ended, or null while it is there.',
      agent: 'What its agent said of itself, a JSON object, or null before the first connection.',
      clock_offset_ms: "How far its clock is ahead of the server's, in milliseconds, or null before it was measured.",
    },
  },
} as const;
