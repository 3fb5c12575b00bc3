/** A webhook as its deliverer holds it: where to post, and what its posts carry, as its row says now. */
import type { SecretBox } from '../domain/secret-box.ts';
import type { StoredWebhook } from '../store/webhooks.ts';
import { createReceiver, type Receiver, type ReceiverDeps } from './post.ts';
import { readySecret, type SigningSecrets } from './sign.ts';

export const SOCKETS_MAX = 32;

export interface Target {
  readonly webhook: StoredWebhook;
  readonly proof: Proof;
  readonly receiver: Receiver;
}

/** How a receiver knows that a delivery comes from here: signed with the secrets, or by a secret that is sent as it is. */
export type Proof =
  | { readonly kind: 'signatures'; readonly secrets: SigningSecrets }
  | { readonly kind: 'secret'; readonly secret: string | null };

export interface TargetDeps extends ReceiverDeps {
  readonly secrets: SecretBox;
}

/** Throws where a secret does not open. */
export function openTarget(deps: TargetDeps, webhook: StoredWebhook): Target {
  const proof = openProof(deps.secrets, webhook);
  return { webhook, proof, receiver: createReceiver(webhook.url, SOCKETS_MAX, deps) };
}

/** The target after a change of its webhook; the same one where nothing has changed. Its receiver is another for another URL. */
export function renewTarget(deps: TargetDeps, target: Target, webhook: StoredWebhook): Target {
  const { webhook: before } = target;
  if (before.url !== webhook.url) return openTarget(deps, webhook);
  if (secretsOf(before) === secretsOf(webhook)) return target;
  return { webhook, proof: openProof(deps.secrets, webhook), receiver: target.receiver };
}

function openProof(box: SecretBox, webhook: StoredWebhook): Proof {
  const { kind, sealedSecret, sealedAccountSecret, accountId } = webhook;
  if (kind === 'v1') return { kind: 'signatures', secrets: openSecrets(box, webhook) };
  if (kind === 'callback') return { kind: 'secret', secret: null };
  const sealed = sealedSecret === '' ? sealedAccountSecret : sealedSecret;
  return { kind: 'secret', secret: sealed === null ? null : box.open(sealed, accountId) };
}

function openSecrets(box: SecretBox, { id, sealedSecret, previousSecret }: StoredWebhook): SigningSecrets {
  const current = readySecret(box.open(sealedSecret, id));
  if (previousSecret === null) return { current, previous: null };
  const { sealed, endsAt } = previousSecret;
  return { current, previous: { secret: readySecret(box.open(sealed, id)), endsAt } };
}

function secretsOf({ sealedSecret, sealedAccountSecret, previousSecret }: StoredWebhook): string {
  return JSON.stringify([sealedSecret, sealedAccountSecret, previousSecret]);
}
