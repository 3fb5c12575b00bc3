/** The attributes of a message's text that are read and written. All others are passed over. */
export const ATTRIBUTES = {
  part: '__kIMMessagePartAttributeName',
  transferGuid: '__kIMFileTransferGUIDAttributeName',
  filename: '__kIMFilenameAttributeName',
  mention: '__kIMMentionConfirmedMention',
  link: '__kIMLinkAttributeName',
} as const;
