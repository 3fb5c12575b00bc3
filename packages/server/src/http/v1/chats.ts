import { z } from 'zod';
import { ApiError } from '../../domain/errors.ts';
import { hasPrefix } from '../../domain/ids.ts';
import type { PairedPhone } from '../../domain/sandbox.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { mayUseRef, resolveLine } from '../../lines/resolve.ts';
import { isChatShown, requirePhone } from '../../sandbox/view.ts';
import { findChatById, pageOfChats, type StoredChat } from '../../store/chat-pages.ts';
import type { Engine } from '../../store/database.ts';
import { chatBody } from '../../wire/v1.ts';
import { cursorField, limitField, lineField } from '../input.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { list, type Route, route } from '../route.ts';

export function chatRoutes(deps: { readonly engine: Engine; readonly registry: LineRegistry }): Route[] {
  return [
    route({
      name: 'listChats',
      summary: 'Lists the chats of a line, the latest activity first.',
      description: 'Chats without messages come last.',
      answer: 'Chat[]',
      refusals: ['line_not_found', 'line_not_accessible', 'sandbox_not_activated'],
      method: 'GET',
      path: '/v1/chats',
      scope: 'chats:read',
      query: z.object({ from: lineField, limit: limitField(), cursor: cursorField }),
      async handle({ caller, query }) {
        const line = await resolveLine(deps.registry, caller, query.from);
        const phone = await requirePhone(deps, caller.accountRef, line);
        const name = `chats ${line.id}`;
        const [lastMessageAt = 0, ref = 0] = query.cursor === undefined ? [] : decodeCursor(name, query.cursor, 2);
        const after = query.cursor === undefined ? null : { lastMessageAt, ref };
        const { accountRef } = caller;
        const rows = phone
          ? await chatsWithPhone(deps.engine, accountRef, phone, after !== null)
          : await pageOfChats(deps.engine, accountRef, line.ref, after, query.limit + 1);
        const page = rows.slice(0, query.limit);
        const last = rows.length > page.length ? page.at(-1) : undefined;
        return list(page.map(chatBody), last ? encodeCursor(name, [last.lastMessageAt ?? 0, last.ref]) : null);
      },
    }),
    route({
      name: 'getChat',
      summary: 'Gives one chat.',
      answer: 'Chat',
      refusals: ['chat_not_found'],
      method: 'GET',
      path: '/v1/chats/:id',
      params: { id: 'The chat: its `cht_` id.' },
      scope: 'chats:read',
      async handle({ caller, params }) {
        const id = params['id'] ?? '';
        const isName = hasPrefix('chat', id) && !id.includes('\0');
        const found = isName ? await findChatById(deps.engine, caller.accountRef, id) : null;
        const chat = found && (await isChatShown(deps, caller.accountRef, found)) ? found : null;
        if (!chat || !mayUseRef(deps.registry, caller, chat.lineRef))
          throw new ApiError('chat_not_found', { param: 'id' });
        return chatBody(chat);
      },
    }),
  ];
}

/** Of an account that has had several phones only the chat with the one that is paired now, and no page after it. */
async function chatsWithPhone(
  engine: Engine,
  accountRef: number,
  phone: PairedPhone,
  isLaterPage: boolean,
): Promise<readonly StoredChat[]> {
  const chat = phone.chat === null || isLaterPage ? null : await findChatById(engine, accountRef, phone.chat.id);
  return chat ? [chat] : [];
}
