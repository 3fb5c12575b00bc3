/** Every row of the dialect. */
import type { Route } from '../route.ts';
import { sendblueGroupRoutes } from './groups.ts';
import { sendblueLineRoutes } from './lines.ts';
import { sendblueLookupRoutes } from './lookups.ts';
import { sendblueMessageRoutes } from './messages.ts';
import { sendblueOptOutRoutes } from './opt-outs.ts';
import { sendbluePresenceRoutes } from './presence.ts';
import { sendblueReactionRoutes } from './reactions.ts';
import { type SendblueSendDeps, sendblueSendRoutes } from './send.ts';
import { sendblueUnservedRoutes } from './unserved.ts';
import { type SendblueUploadDeps, sendblueUploadRoutes } from './uploads.ts';
import { type SendblueWebhookDeps, sendblueWebhookRoutes } from './webhooks.ts';

export function sendblueRoutes(deps: SendblueSendDeps & SendblueUploadDeps & SendblueWebhookDeps): Route[] {
  return [
    ...sendblueSendRoutes(deps),
    ...sendblueGroupRoutes(deps),
    ...sendblueMessageRoutes(deps),
    ...sendbluePresenceRoutes(deps),
    ...sendblueReactionRoutes(deps),
    ...sendblueLineRoutes(deps),
    ...sendblueLookupRoutes(deps),
    ...sendblueOptOutRoutes(deps),
    ...sendblueUploadRoutes(deps),
    ...sendblueWebhookRoutes(deps),
    ...sendblueUnservedRoutes(),
  ];
}
