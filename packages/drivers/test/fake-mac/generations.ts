/** The three generations of macOS that the fake Mac can be. Letters such as "a.3" refer to the transport dossier. */

export const GENERATIONS = ['ventura', 'sequoia', 'golden'] as const;
export type Generation = (typeof GENERATIONS)[number];

/** The release of macOS that each generation is: 13, 15 and 27. */
export const RELEASES: Readonly<Record<Generation, number>> = { ventura: 13, sequoia: 15, golden: 27 };

/** The first release whose chats carry `any` instead of their service in `chat.guid` (a.4). */
const ANY_PREFIX_SINCE = 26;

export function isGeneration(value: string | undefined): value is Generation {
  return GENERATIONS.some((one) => one === value);
}

/** `<service>;-;<identifier>` for a direct chat, `<service>;+;<identifier>` for a group (a.4). */
export function chatGuidOf(generation: Generation, service: string, isGroup: boolean, identifier: string): string {
  const prefix = RELEASES[generation] >= ANY_PREFIX_SINCE ? 'any' : service;
  return `${prefix};${isGroup ? '+' : '-'};${identifier}`;
}
