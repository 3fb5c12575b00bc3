import { describe, expect, it } from 'vitest';
import { expressiveIdOf, isSendStyle, SEND_STYLES, styleOfExpressiveId } from './effect.ts';

describe('an effect', () => {
  it.each(SEND_STYLES)('%s has an id of Apple that leads back to it', (style) => {
    expect(isSendStyle(style)).toBe(true);
    expect(styleOfExpressiveId(expressiveIdOf(style))).toBe(style);
  });

  it('has the id that messages arrive with, not the one that its name suggests', () => {
    expect(expressiveIdOf('slam')).toBe('com.apple.MobileSMS.expressivesend.impact');
    expect(expressiveIdOf('balloons')).toBe('com.apple.messages.effect.CKHappyBirthdayEffect');
    expect(styleOfExpressiveId('com.apple.messages.effect.CKHeartEffect')).toBe('love');
    expect(styleOfExpressiveId('com.apple.messages.effect.CKSparklesEffect')).toBe('celebration');
  });

  it.each(['', 'Slam', 'impact', 'toString', 'com.apple.messages.effect.CKBalloonsEffect', null, 3])(
    'is none of the thirteen: %s',
    (word) => {
      expect(isSendStyle(word)).toBe(false);
      expect(styleOfExpressiveId(String(word))).toBeNull();
    },
  );
});
