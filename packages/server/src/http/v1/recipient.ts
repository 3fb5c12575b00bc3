/** Whom a request names in `to`. */
import { normaliseHandle } from '@trunkline/drivers';
import { hasPrefix } from '../../domain/ids.ts';
import type { Recipient } from '../../store/outbox.ts';
import { invalidValue } from '../input.ts';

/** A chat by its id, or whoever has that handle. Throws `invalid_parameter_value`. */
export function recipientOf(to: string): Recipient {
  if (hasPrefix('chat', to)) return { kind: 'chat', id: to };
  const handle = normaliseHandle(to);
  if (handle === null) throw invalidValue('to', 'must be a handle (E.164 or e-mail) or a cht_ id');
  return { kind: 'handle', handle };
}
