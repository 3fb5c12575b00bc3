/** A webhook as its deliverer holds it: where to post, and what to sign with, as its row says now. */
import type { SecretBox } from '../domain/secret-box.ts';
import type { StoredWebhook } from '../store/webhooks.ts';
import { createReceiver, type Receiver, type ReceiverDeps } from './post.ts';
import { readySecret, type SigningSecrets } from './sign.ts';

export const SOCKETS_MAX = 32;

export interface Target {
  readonly webhook: StoredWebhook;
  /** Sign its deliveries. */
  readonly secrets: SigningSecrets;
  readonly receiver: Receiver;
}

export interface TargetDeps extends ReceiverDeps {
  readonly secrets: SecretBox;
}

/** Throws where a secret does not open. */
export function openTarget(deps: TargetDeps, webhook: StoredWebhook): Target {
  const secrets = openSecrets(deps.secrets, webhook);
  return { webhook, secrets, receiver: createReceiver(webhook.url, SOCKETS_MAX, deps) };
}

/** The target after a change of its webhook; the same one where nothing has changed. Its receiver is another for another URL. */
export function renewTarget(deps: TargetDeps, target: Target, webhook: StoredWebhook): Target {
  const { webhook: before } = target;
  if (before.url !== webhook.url) return openTarget(deps, webhook);
  if (secretsOf(before) === secretsOf(webhook)) return target;
  return { webhook, secrets: openSecrets(deps.secrets, webhook), receiver: target.receiver };
}

function openSecrets(box: SecretBox, { id, sealedSecret, previousSecret }: StoredWebhook): SigningSecrets {
  const current = readySecret(box.open(sealedSecret, id));
  if (previousSecret === null) return { current, previous: null };
  const { sealed, endsAt } = previousSecret;
  return { current, previous: { secret: readySecret(box.open(sealed, id)), endsAt } };
}

function secretsOf({ sealedSecret, previousSecret }: StoredWebhook): string {
  return JSON.stringify([sealedSecret, previousSecret]);
}
