/** Bodies as macOS archives them, put together by hand, so that neither our encoder nor our decoder made them. */

/** Hexadecimal digits and texts by turns: a text begins with `=`. */
export function toBody(...pieces: readonly string[]): Buffer {
  return Buffer.concat(
    pieces.map((piece) =>
      piece.startsWith('=') ? Buffer.from(piece.slice(1), 'utf8') : Buffer.from(piece.replaceAll(' ', ''), 'hex'),
    ),
  );
}

export const HEADER = ['04 0b', '=streamtyped', '81 e8 03'] as const;

/** Up to the length of the text. */
export const PLAIN_HEAD = [
  ...HEADER,
  ...['84 01 40 84 84 84 12', '=NSAttributedString', '00 84 84 08', '=NSObject', '00 85'],
  ...['92 84 84 84 08', '=NSString', '01 94 84 01 2b'],
] as const;

/** One run with the number of its part. The length of the run stands before it. */
const PLAIN_TAIL = [
  ...['92 84 84 84 0c', '=NSDictionary', '00 94 84 01 69 01 92 84 96 96 1d', '=__kIMMessagePartAttributeName', '86'],
  ...['92 84 84 84 08', '=NSNumber', '00 84 84 07', '=NSValue', '00 94 84 01 2a 84 99 99 00 86 86 86'],
] as const;

/** A text whose lengths are written as they are given, in whichever form. */
export function plainBody(text: string, bytesLength: string, runLength: string): Buffer {
  return toBody(...PLAIN_HEAD, bytesLength, `=${text}`, '86 84 02 69 49 01', runLength, ...PLAIN_TAIL);
}

/** A photo alone. */
export const PHOTO_BODY = toBody(
  ...[...PLAIN_HEAD, '03 ef bf bc 86 84 02 69 49 01 01 92 84 84 84 0c', '=NSDictionary', '00 94 84 01 69 02'],
  ...['92 84 96 96 22', '=__kIMFileTransferGUIDAttributeName', '86 92 84 96 96 09', '=at_0_PHOT', '86'],
  ...['92 84 96 96 1d', '=__kIMMessagePartAttributeName', '86 92 84 84 84 08', '=NSNumber', '00 84 84 07', '=NSValue'],
  '00 94 84 01 2a 84 99 99 00 86 86 86',
);

export const MIXED_TEXT = '\ufffchi Ana Ö, \ufffcat https://t.example/';

/**
 * A photo, a text with a mention, a file with its name, a text with a link: of the mutable kind, with numbers of all
 * types, with the raw bytes and the dictionaries that are passed over, and with attributes that come a second time.
 */
export const MIXED_BODY = toBody(
  ...[...HEADER, '84 01 40 84 84 84 19', '=NSMutableAttributedString', '00 84 84 12', '=NSAttributedString', '00'],
  ...['84 84 08', '=NSObject', '00 85', '92 84 84 84 0f', '=NSMutableString', '01 84 84 08', '=NSString', '01 95'],
  ...['84 01 2b 26', `=${MIXED_TEXT}`, '86'],
  // The photo: number 1, with a writing direction of -1.
  ...['84 02 69 49 01 01 92 84 84 84 0c', '=NSDictionary', '00 95 84 01 69 03'],
  ...['92 84 98 98 22', '=__kIMFileTransferGUIDAttributeName', '86 92 84 98 98 0a', '=at_0_PHOTO', '86'],
  ...['92 84 98 98 26', '=__kIMBaseWritingDirectionAttributeName', '86 92 84 84 84 08', '=NSNumber', '00'],
  ...['84 84 07', '=NSValue', '00 95 84 01 2a 84 84 01 71 9f ff 86'],
  ...['92 84 98 98 1d', '=__kIMMessagePartAttributeName', '86 92 84 9f 9e 84 9b 9b 00 86 86'],
  // `hi `: number 2; `Ana`: number 3, with a mention; ` Ö, ` is number 2 again.
  ...['99 02 03 92 84 9a 9b 01 92 84 98 98 1d', '=__kIMMessagePartAttributeName', '86 92 84 9f 9e a4 9b 01 86 86'],
  ...['99 03 03 92 84 9a 9b 02 92 84 98 98 1d', '=__kIMMessagePartAttributeName', '86 92 84 9f 9e a4 9b 01 86'],
  ...['92 84 98 98 1c', '=__kIMMentionConfirmedMention', '86 92 84 98 98 0c', '=+15550101234', '86 86', '99 02 04'],
  // The file: number 4, with a real number and a name.
  ...['99 04 01 92 84 9a 9b 04 92 84 98 98 22', '=__kIMFileTransferGUIDAttributeName', '86'],
  ...['92 84 98 98 09', '=at_2_FILE', '86 92 84 98 98 1a', '=__kIMFilenameAttributeName', '86'],
  ...['92 84 98 98 09', '=tides.pdf', '86 92 84 98 98 22', '=__kIMInlineMediaWidthAttributeName', '86'],
  ...['92 84 9f 9e 84 84 01 64 a0 83 00 00 00 00 00 50 84 40 86'],
  ...['92 84 98 98 1d', '=__kIMMessagePartAttributeName', '86 92 84 9f 9e a4 9b 02 86 86'],
  // `at `: number 5, with an empty dictionary; the link: number 6, with bytes and a flag of one byte.
  ...['99 05 03 92 84 9a 9b 02 92 84 98 98 1e', '=__kIMPhotoSharingAttributeName', '86 92 84 9a 9b 00 86'],
  ...['92 84 98 98 1d', '=__kIMMessagePartAttributeName', '86 92 84 9f 9e a4 9b 03 86 86'],
  ...['99 06 12 92 84 9a 9b 04 92 84 98 98 1e', '=__kIMDataDetectedAttributeName', '86'],
  ...['92 84 84 84 0d', '=NSMutableData', '00 84 84 06', '=NSData', '00 95 9b 05 84 04', '=[5c]', '86 84 92 86 00 86'],
  ...['92 84 98 98 20', '=__kIMLinkIsRichLinkAttributeName', '86 92 84 9f 9e 84 84 01 63 a4 01 86'],
  ...['92 84 98 98 16', '=__kIMLinkAttributeName', '86 92 84 84 84 05', '=NSURL', '00 95 a4 00'],
  ...['92 84 98 98 12', '=https://t.example/', '86 86 92 84 98 98 1d', '=__kIMMessagePartAttributeName', '86'],
  ...['92 84 9f 9e a4 9b 03 86 86', '86'],
);
