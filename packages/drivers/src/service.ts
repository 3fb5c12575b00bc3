/** How a message travels between phones. */
export type Service = 'imessage' | 'sms' | 'rcs';
