/** The send styles of the v1 API, which are the effects of the simulator's. */
export const SEND_STYLES: readonly string[] = [
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
];
