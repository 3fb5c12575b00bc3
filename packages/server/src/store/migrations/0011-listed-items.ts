/** The projection that lists in Sendblue's manner read, filled from what is there already. */
import type { MigrationText } from './migration.ts';

export const listedItems: MigrationText = {
  name: '0011-listed-items',
  statements: ({ kind }) => [
    // `ref` says where a row is: 512 belong to an outbox item, and the second half of them to the message of the same number.
    `create table listed_items (ref ${kind === 'sqlite' ? 'integer' : 'bigint'} primary key, account_ref bigint not null, line_ref bigint not null,
      chat_ref bigint, peer text not null, is_outbound bigint not null, status text not null, service text not null,
      outbox_ref bigint, message_ref bigint, place bigint not null, created_at bigint not null, updated_at bigint not null,
      is_followed bigint not null default 0)`,

    `insert into listed_items (ref, account_ref, line_ref, chat_ref, peer, is_outbound, status, service, outbox_ref,
       message_ref, place, created_at, updated_at)
     select outbox.ref * 512, outbox.account_ref, outbox.line_ref, case when outbox.is_group = 1 then chats.ref end,
       case when outbox.is_group = 1 then '' else outbox.recipient end, 1,
       case when messages.state in ('delivered', 'read') then 'DELIVERED' when outbox.state = 'sent' then 'SENT'
         when outbox.state = 'failed' then 'ERROR' else 'QUEUED' end,
       coalesce(messages.service, case when lines.service = 'sms' then 'sms' else 'imessage' end), outbox.ref, messages.ref, 0, outbox.created_at,
       case when coalesce(messages.updated_at, 0) > outbox.updated_at then messages.updated_at else outbox.updated_at end
     from outbox join lines on lines.ref = outbox.line_ref
       left join messages on messages.outbox_ref = outbox.ref
       left join chats on chats.account_ref = outbox.account_ref and chats.line_ref = outbox.line_ref
         and chats.identifier = outbox.recipient
     where outbox.kind in ('message', 'audio_message')`,

    `insert into listed_items (ref, account_ref, line_ref, chat_ref, peer, is_outbound, status, service, outbox_ref,
       message_ref, place, created_at, updated_at)
     select messages.ref * 512 + 256 + coalesce(attachments.place, 0), messages.account_ref, messages.line_ref,
       case when chats.is_group = 1 then chats.ref end,
       case when messages.is_from_me = 0 then messages.sender when chats.is_group = 1 then '' else chats.identifier end,
       messages.is_from_me,
       case when messages.is_from_me = 0 then 'RECEIVED' when messages.state = 'sent' then 'SENT' else 'DELIVERED' end,
       messages.service, null, messages.ref, coalesce(attachments.place, 0), messages.sent_at,
       case when messages.updated_at > messages.sent_at then messages.updated_at else messages.sent_at end
     from messages join chats on chats.ref = messages.chat_ref
       left join attachments on attachments.message_ref = messages.ref and attachments.place < 256
     where messages.outbox_ref is null`,

    // The order of a list, and a line's, a party's and a group's share of it.
    'create index listed_items_by_creation on listed_items (account_ref, created_at, ref)',
    'create index listed_items_by_change on listed_items (account_ref, updated_at, ref)',
    'create index listed_items_by_line on listed_items (line_ref, created_at, ref)',
    // What else is asked of a party's share stands behind the order: what does not pass is left out without a look at its row.
    'create index listed_items_by_peer on listed_items (account_ref, peer, created_at, ref, line_ref, chat_ref, is_outbound)',
    'create index listed_items_by_group on listed_items (account_ref, chat_ref, created_at, ref, is_outbound) where chat_ref is not null',
    'create index listed_items_of_groups on listed_items (account_ref, created_at, ref) where chat_ref is not null',
    // Inbound ones are those of one status.
    'create index listed_items_by_status on listed_items (account_ref, status, created_at, ref)',
    // What most messages are is found by their order.
    `create index listed_items_by_service on listed_items (account_ref, service, created_at, ref, line_ref) where service <> 'imessage'`,
  ],
};
