/** A contact as a vCard 3.0, in the form that iMessage shows as a card. */
import { MessagesError } from './errors.ts';
import type { ContactAddress, ContactCard } from './params.ts';

const LINE_MAX_OCTETS = 75;
const BASE64_STEP_BYTES = 0x6000;

export interface ContactPhoto {
  readonly bytes: Uint8Array;
  readonly type: 'JPEG' | 'PNG';
}

export function buildContactCard(card: ContactCard, photo: ContactPhoto | null): string {
  const { firstName, lastName } = card;
  const lines = [
    'BEGIN:VCARD',
    'VERSION:3.0',
    `N:${escapeText(lastName)};${escapeText(firstName)};;;`,
    `FN:${escapeText(`${firstName} ${lastName}`.trim())}`,
    ...textLine('ORG', card.org),
    ...textLine('TITLE', card.title),
    ...(card.phones ?? []).map(
      ({ value, type }) => `TEL;TYPE=${typeParameter(type ?? '') || 'CELL'}:${escapeText(value)}`,
    ),
    ...(card.emails ?? []).map(({ value, type }) => `EMAIL${typed(type)}:${escapeText(value)}`),
    ...(card.address ? [addressLine(card.address)] : []),
    // A URL and a date are no text: nothing in them is escaped, so that nothing in them may end the line.
    ...plainLine('URL', card.url),
    ...plainLine('BDAY', card.bday),
    ...textLine('NOTE', card.note),
    ...(photo ? [`PHOTO;ENCODING=b;TYPE=${photo.type}:${toBase64(photo.bytes)}`] : []),
    'END:VCARD',
  ];
  return lines.map((line) => `${foldLine(line)}\r\n`).join('');
}

/** `jane-van-dyke.vcf` */
export function contactCardFilename({ firstName, lastName }: ContactCard): string {
  const name = [firstName, lastName].map((part) => part.trim()).filter((part) => part !== '');
  return `${name.join('-').toLowerCase().replaceAll(/\s+/g, '-') || 'contact'}.vcf`;
}

/** By the first bytes; where they say nothing, as `named`. */
export function photoOf(bytes: Uint8Array, named: ContactPhoto['type'] | undefined): ContactPhoto {
  const starts = (...first: number[]) => first.every((byte, index) => bytes[index] === byte);
  if (starts(0xff, 0xd8, 0xff)) return { bytes, type: 'JPEG' };
  if (starts(0x89, 0x50, 0x4e, 0x47)) return { bytes, type: 'PNG' };
  if (named !== undefined) return { bytes, type: named };
  const message = 'The photo is neither a JPEG nor a PNG by its first bytes. Say which with photoType.';
  throw new MessagesError({
    status: 0,
    type: 'invalid_request_error',
    code: 'unknown_photo_type',
    param: 'photo',
    message,
  });
}

function textLine(name: string, value: string | undefined): string[] {
  return value ? [`${name}:${escapeText(value)}`] : [];
}

function plainLine(name: string, value: string | undefined): string[] {
  return value ? [`${name}:${value.replaceAll(/[\r\n]+/g, ' ')}`] : [];
}

function addressLine({ street, city, region, postalCode, country, type }: ContactAddress): string {
  const parts = [undefined, undefined, street, city, region, postalCode, country];
  return `ADR${typed(type)}:${parts.map((part) => escapeText(part ?? '')).join(';')}`;
}

function escapeText(text: string): string {
  return text.replaceAll(/[\\;,]/g, (letter) => `\\${letter}`).replaceAll(/\r\n|\r|\n/g, '\\n');
}

function typed(type: string | undefined): string {
  const parameter = typeParameter(type ?? '');
  return parameter === '' ? '' : `;TYPE=${parameter}`;
}

/** What ends a parameter's value cannot be in one. */
function typeParameter(type: string): string {
  return type.toUpperCase().replaceAll(/[^A-Z0-9-]/g, '');
}

/** At most 75 octets in a line; a line that goes on begins with a space. No letter is cut in two. */
function foldLine(line: string): string {
  const encoder = new TextEncoder();
  const folded: string[] = [];
  let piece = '';
  let octets = 0;
  for (const letter of line) {
    const size = encoder.encode(letter).length;
    if (octets + size > LINE_MAX_OCTETS) {
      folded.push(piece);
      piece = ' ';
      octets = 1;
    }
    piece += letter;
    octets += size;
  }
  return [...folded, piece].join('\r\n');
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += BASE64_STEP_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(start, start + BASE64_STEP_BYTES));
  }
  return btoa(binary);
}
