-- What must always hold. Each query returns nothing on a sound database, whenever it is asked, also right after a crash.
-- A query's name is its comment. Both engines run all of them.

-- a sent message has its row
select o.id from outbox o where o.state = 'sent' and o.kind in ('message', 'audio_message')
  and not exists (select 1 from messages m where m.outbox_ref = o.ref);

-- a message with which the whole of an item was seen made it sent
select m.id from messages m join outbox o on o.ref = m.outbox_ref where o.state <> 'sent' and m.is_whole_item = 1;

-- each part of an item has one message on the line
select m.outbox_ref from messages m where m.outbox_ref is not null group by m.outbox_ref, m.item_part having count(*) > 1;

-- only own messages echo an item
select m.id from messages m where m.outbox_ref is not null and m.is_from_me <> 1;

-- a guid is there once on its line
select m.guid from messages m group by m.line_ref, m.guid having count(*) > 1;

-- an ended item says when, another does not
select o.id from outbox o where (o.completed_at is not null) <> (o.state in ('sent', 'failed'));

-- a failed item says why
select o.id from outbox o where o.state = 'failed' and coalesce(o.error, '') = '';

-- an item was handed over at least as often as it was tried, and never tried more than three times
select o.id from outbox o where o.attempts > o.hand_overs or o.attempts < 0 or o.attempts > 3;

-- an item under way carries a fence that its line has reached
select o.id from outbox o where o.state = 'sending'
  and not exists (select 1 from leases l where l.name = 'line ' || o.line_ref and l.fence >= o.fence);

-- an item that waits for its echo knows until when
select o.id from outbox o where o.state in ('handed_over', 'unknown') and o.echo_due_at is null;

-- nothing waits to be sent on a removed line
select o.id from outbox o join lines l on l.ref = o.line_ref
  where l.removed_at is not null and o.state in ('fetching', 'pending', 'waiting');

-- an item whose file is fetched says from where, and one that waits for its turn has it
select o.id from outbox o where o.state = 'fetching' and o.fetch_url is null
  or o.state in ('pending', 'waiting') and o.fetch_url is not null;

-- a removed line tells no webhook
select w.id from webhooks w join lines l on l.ref = w.line_ref where l.removed_at is not null and w.is_active = 1;

-- a message is announced, or its announcement waits, as far back as the log is kept
select m.id from messages m
  where m.is_old = 0 and m.synced_at >= coalesce((select cast(value as bigint) from installation where name = 'pruned_before'), 0)
  and not exists (select 1 from events e where e.message_ref = m.ref and e.type in ('message.received', 'message.sent'))
  and not exists (select 1 from held_messages h where h.message_ref = m.ref);

-- a message is announced once
select e.message_ref from events e where e.type in ('message.received', 'message.sent')
  group by e.message_ref having count(*) > 1;

-- an announced message waits no longer
select h.message_ref from held_messages h join events e on e.message_ref = h.message_ref
  where e.type in ('message.received', 'message.sent');

-- own messages are sent, others are received
select m.id from messages m join events e on e.message_ref = m.ref
  where e.type in ('message.received', 'message.sent')
  and e.type <> case when m.is_from_me = 1 then 'message.sent' else 'message.received' end;

-- a chat knows whether anybody wrote
select c.id from chats c where c.has_received_inbound
  <> case when exists (select 1 from messages m where m.chat_ref = c.ref and m.is_from_me = 0) then 1 else 0 end;

-- a chat knows its latest message
select c.id from chats c where c.last_message_at
  <> coalesce((select max(m.sent_at) from messages m where m.chat_ref = c.ref), 0);

-- a message lies in a chat of its line and account
select m.id from messages m left join chats c
  on c.ref = m.chat_ref and c.line_ref = m.line_ref and c.account_ref = m.account_ref where c.ref is null;

-- a phone is paired, or a code may be texted, never both
select p.account_ref from sandbox_pairings p where p.phone is not null and p.code is not null;

-- a pairing says since when, a code until when
select p.account_ref from sandbox_pairings p
  where (p.phone is null) <> (p.paired_at is null) or (p.code is null) <> (p.code_expires_at is null);

-- nobody sends more on the sandbox line than a day takes
select p.account_ref from sandbox_pairings p where p.sent < 0 or p.sent > 50;

-- the sandbox line has no group, which would be of several accounts
select c.id from chats c join lines l on l.ref = c.line_ref where l.is_sandbox = 1 and c.is_group = 1;

-- an echo belongs to the account whose item it is
select m.id from messages m join outbox o on o.ref = m.outbox_ref where m.account_ref <> o.account_ref;

-- what is said of a chat belongs to the chat's account
select r.id from reactions r join chats c on c.ref = r.chat_ref where c.account_ref <> r.account_ref
union all select t.id from typing_indicators t join chats c on c.ref = t.chat_ref where c.account_ref <> t.account_ref
union all select r.id from read_receipts r join chats c on c.ref = r.chat_ref where c.account_ref <> r.account_ref
union all select e.id from events e join chats c on c.ref = e.chat_ref where c.account_ref <> e.account_ref;

-- a delivery has its event and its webhook, of one account, and of one line where the webhook has one
select d.id from deliveries d left join events e on e.seq = d.event_seq left join webhooks w on w.ref = d.webhook_ref
  where e.seq is null or w.ref is null or e.account_ref <> w.account_ref or w.line_ref <> 0 and e.line_ref <> w.line_ref
  or d.account_ref <> w.account_ref;

-- a webhook is of a line or of an account, by its kind
select w.id from webhooks w where w.kind not in ('v1', 'account', 'callback') or (w.kind = 'v1') = (w.line_ref = 0);

-- a delivery has an address of its own where it is a callback, and a type that its kind of webhook can hear
select d.id from deliveries d join webhooks w on w.ref = d.webhook_ref join events e on e.seq = d.event_seq
  where (d.url is not null) <> (w.kind = 'callback')
  or (w.kind = 'v1') = (e.type in ('item.received', 'item.status'));

-- a delivery that ended was tried, a retry was tried before unless it was dropped first and sent again
select d.id from deliveries d where d.attempts < 1
  and (d.state in ('delivered', 'failed') or d.state = 'retry' and d.resent_at is null);

-- a delivery that waits for a retry knows when
select d.id from deliveries d where d.state = 'retry' and d.due_at <= 0;

-- a deleted or disabled webhook is due nothing
select d.id from deliveries d join webhooks w on w.ref = d.webhook_ref
  where w.is_active = 0 and d.state in ('new', 'retry');

-- every failed attempt is kept
select d.id from deliveries d where d.state in ('retry', 'failed') and d.attempts
  <> (select count(*) from attempts a where a.webhook_ref = d.webhook_ref and a.event_seq = d.event_seq);

-- what a client asked to be sent is listed as it stands
select o.id from outbox o join lines l on l.ref = o.line_ref left join listed_items i on i.outbox_ref = o.ref
  where o.kind in ('message', 'audio_message') and l.removed_at is null and (i.ref is null
    or (o.state = 'failed') <> (i.status = 'ERROR') or (o.state = 'sent') <> (i.status in ('SENT', 'DELIVERED')));

-- every message is listed, with its item or by itself
select m.id from messages m join lines l on l.ref = m.line_ref where l.removed_at is null and m.item_part = 0
  and not exists (select 1 from listed_items i where i.message_ref = m.ref);

-- what is listed was delivered when its message was
select m.id from messages m join listed_items i on i.message_ref = m.ref
  where m.is_whole_item = 1 and (m.state in ('delivered', 'read')) <> (i.status = 'DELIVERED') or (m.is_from_me = 0) <> (i.status = 'RECEIVED');

-- nothing that is listed changed before it was made
select i.ref from listed_items i where i.updated_at < i.created_at;
