/** What an operator does about webhooks and deliveries. */
import { caller } from './admin-caller.ts';
import type {
  AdminWebhook,
  Delivery,
  DeliveryAttempt,
  DeliveryWithBody,
  ListAdminWebhooksParams,
  ListAttemptsParams,
  ListDeliveriesParams,
  ResendDeliveriesParams,
  RotateSecretParams,
  UpdateWebhookParams,
} from './admin-webhook-resources.ts';
import type { CallOptions, Connection } from './client-config.ts';
import type { PagePromise } from './page.ts';
import type { IdParams } from './params.ts';

export interface WebhookAdministration {
  /** The account's webhooks, the newest first, without the deleted ones. `v1` makes and deletes them. */
  listWebhooks(params?: ListAdminWebhooksParams, options?: CallOptions): PagePromise<AdminWebhook>;
  getWebhook(params: IdParams, options?: CallOptions): Promise<AdminWebhook>;
  /** In force in every process within a second. What is not named stays as it is. */
  updateWebhook(params: UpdateWebhookParams, options?: CallOptions): Promise<AdminWebhook>;
  /** Makes a new secret, which is given this once. */
  rotateWebhookSecret(params: RotateSecretParams, options?: CallOptions): Promise<AdminWebhook & { secret: string }>;
  /** Sends the deliveries of a webhook again; gives how many. */
  resendDeliveries(
    params: ResendDeliveriesParams,
    options?: CallOptions,
  ): Promise<{ webhookId: string; resent: number }>;

  /** Deliveries, those of the newest events first. A page may be short, or empty, while there are more. */
  listDeliveries(params?: ListDeliveriesParams, options?: CallOptions): PagePromise<Delivery>;
  getDelivery(params: IdParams, options?: CallOptions): Promise<DeliveryWithBody>;
  /** The attempts at a delivery, the first one first. */
  listDeliveryAttempts(params: ListAttemptsParams, options?: CallOptions): PagePromise<DeliveryAttempt>;
  /** Sends a delivery again under its id, whatever had become of it. */
  resendDelivery(params: IdParams, options?: CallOptions): Promise<Delivery>;
}

export function webhookAdministration(connection: Connection): WebhookAdministration {
  const { list, send } = caller(connection);
  const webhookPath = (id: string) => `/admin/v1/webhooks/${encodeURIComponent(id)}`;
  const deliveryPath = (id: string) => `/admin/v1/deliveries/${encodeURIComponent(id)}`;
  return {
    listWebhooks: (params, options) => list('/admin/v1/webhooks', { ...params }, options),
    getWebhook: ({ id }, options) => send('GET', webhookPath(id), undefined, options),
    updateWebhook: ({ id, ...changes }, options) => send('PATCH', webhookPath(id), changes, options),
    rotateWebhookSecret: ({ id, ...params }, options) => send('POST', `${webhookPath(id)}/rotate`, params, options),
    resendDeliveries: ({ id, ...params }, options) => send('POST', `${webhookPath(id)}/resend`, params, options),
    listDeliveries: (params, options) => list('/admin/v1/deliveries', { ...params }, options),
    getDelivery: ({ id }, options) => send('GET', deliveryPath(id), undefined, options),
    listDeliveryAttempts: ({ id, ...params }, options) => list(`${deliveryPath(id)}/attempts`, params, options),
    resendDelivery: ({ id }, options) => send('POST', `${deliveryPath(id)}/resend`, {}, options),
  };
}
