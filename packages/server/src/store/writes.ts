/** Every write there is. Each is data in, data out; the tests run every pair of them at once on PostgreSQL. */
import { appendAccountWebhooks, removeAccountWebhooks, replaceAccountWebhooks } from './account-webhooks.ts';
import { createAccounts, createKeys } from './accounts.ts';
import { announceDue } from './announcements.ts';
import { ensureCallbacks } from './callbacks.ts';
import { claimRetries, extendRetries, recordAttempts } from './deliveries.ts';
import { createDevices, noteDevices, revokeDevices } from './devices.ts';
import { expireItems } from './echo-limits.ts';
import { settleFetches } from './fetches.ts';
import { createFiles } from './files.ts';
import { createFirstInstallation } from './first-installation.ts';
import { completeNames, reserveName } from './kept-answers.ts';
import { recordKeyUse } from './key-use.ts';
import { revokeKeys } from './keys.ts';
import { acquireLeases, releaseLeases, renewLeases } from './leases.ts';
import { recordHealth } from './line-health.ts';
import { purgeLines, removeLines } from './line-removal.ts';
import { reviveLines, setLines } from './line-settings.ts';
import { createLines } from './lines.ts';
import { setOptOuts } from './opt-outs.ts';
import { acceptItems } from './outbox.ts';
import { claimItems, settleItems } from './outbox-lane.ts';
import { endTyping } from './presence.ts';
import {
  pruneDeliveries,
  pruneEvents,
  pruneKeptAnswers,
  pruneLostAnswers,
  pruneRequestCounts,
  pruneSandboxPhones,
  pruneUnanswered,
  pruneWebhooks,
} from './pruning.ts';
import { resendDeliveries, resendDelivery } from './resends.ts';
import { activateSandbox, deactivateSandbox } from './sandbox-pairings.ts';
import { recordSightings } from './sightings.ts';
import { dropAnswers, markAnswersLost } from './unanswered.ts';
import { addUploadParts, dropOldUploadParts, dropUploadParts } from './upload-parts.ts';
import { rotateSecrets, setWebhooks } from './webhook-settings.ts';
import { createWebhooks, deleteWebhooks, disableWebhooks } from './webhooks.ts';

export const WRITES = {
  acceptItems,
  claimItems,
  settleItems,
  settleFetches,
  expireItems,
  recordSightings,
  announceDue,
  endTyping,
  claimRetries,
  extendRetries,
  recordAttempts,
  createFiles,
  createWebhooks,
  deleteWebhooks,
  disableWebhooks,
  setWebhooks,
  rotateSecrets,
  replaceAccountWebhooks,
  appendAccountWebhooks,
  removeAccountWebhooks,
  ensureCallbacks,
  resendDelivery,
  resendDeliveries,
  acquireLeases,
  renewLeases,
  releaseLeases,
  createFirstInstallation,
  createAccounts,
  createKeys,
  recordKeyUse,
  reserveName,
  completeNames,
  dropAnswers,
  markAnswersLost,
  revokeKeys,
  createDevices,
  revokeDevices,
  noteDevices,
  addUploadParts,
  dropUploadParts,
  dropOldUploadParts,
  createLines,
  setLines,
  reviveLines,
  removeLines,
  purgeLines,
  recordHealth,
  setOptOuts,
  activateSandbox,
  deactivateSandbox,
  pruneDeliveries,
  pruneEvents,
  pruneWebhooks,
  pruneKeptAnswers,
  pruneUnanswered,
  pruneLostAnswers,
  pruneRequestCounts,
  pruneSandboxPhones,
} as const;
