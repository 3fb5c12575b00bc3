/** The effects that a message can have, by the names that the APIs give them as send styles. */
export const SEND_STYLES = [
  'celebration',
  'shooting_star',
  'fireworks',
  'lasers',
  'love',
  'confetti',
  'balloons',
  'spotlight',
  'echo',
  'invisible',
  'gentle',
  'loud',
  'slam',
] as const;
export type SendStyle = (typeof SEND_STYLES)[number];

/** Apple's own names, as rows of the Mac's message database have them: the first nine fill the screen, the rest the bubble. */
const EXPRESSIVE_IDS: Readonly<Record<SendStyle, string>> = {
  celebration: 'com.apple.messages.effect.CKSparklesEffect',
  shooting_star: 'com.apple.messages.effect.CKShootingStarEffect',
  fireworks: 'com.apple.messages.effect.CKFireworksEffect',
  lasers: 'com.apple.messages.effect.CKLasersEffect',
  love: 'com.apple.messages.effect.CKHeartEffect',
  confetti: 'com.apple.messages.effect.CKConfettiEffect',
  balloons: 'com.apple.messages.effect.CKHappyBirthdayEffect',
  spotlight: 'com.apple.messages.effect.CKSpotlightEffect',
  echo: 'com.apple.messages.effect.CKEchoEffect',
  invisible: 'com.apple.MobileSMS.expressivesend.invisibleink',
  gentle: 'com.apple.MobileSMS.expressivesend.gentle',
  loud: 'com.apple.MobileSMS.expressivesend.loud',
  slam: 'com.apple.MobileSMS.expressivesend.impact',
};

export function isSendStyle(word: unknown): word is SendStyle {
  return SEND_STYLES.some((style) => style === word);
}

export function expressiveIdOf(style: SendStyle): string {
  return EXPRESSIVE_IDS[style];
}

/** Null for what Apple may add after these. */
export function styleOfExpressiveId(id: string): SendStyle | null {
  return SEND_STYLES.find((style) => EXPRESSIVE_IDS[style] === id) ?? null;
}
