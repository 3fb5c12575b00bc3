/** The tapbacks of the v1 API. */
export const TAPBACKS: readonly string[] = ['love', 'like', 'dislike', 'laugh', 'emphasize', 'question'];
