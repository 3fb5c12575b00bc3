/** `trunkline doctor`: each thing that must be true on a Mac, and what to do where it is not. */
import { checkDatabase, checkLog, checkLogIndex } from './database-checks.ts';
import type { Check, DoctorMac } from './doctor-mac.ts';
import { type Finding, failed } from './finding.ts';
import { checkAttachments, checkDisk, checkStaging } from './folder-checks.ts';
import { checkAccounts, checkAutomation, checkMessages } from './messages-checks.ts';
import { checkNode, checkOthers, checkSleep } from './process-checks.ts';
import { checkClock, checkIntegrity, checkSession, checkVersion } from './system-checks.ts';

const NOT_A_MAC =
  'Run this on the Mac whose Messages the line uses, as the user who is signed in there. A line of the simulator needs none of it.';

const CHECKS: Readonly<Record<string, Check>> = {
  macos: checkVersion,
  session: checkSession,
  'chat.db': checkDatabase,
  'chat.db-wal': checkLog,
  'chat.db-shm': checkLogIndex,
  attachments: checkAttachments,
  staging: checkStaging,
  messages: checkMessages,
  automation: checkAutomation,
  accounts: checkAccounts,
  clock: checkClock,
  integrity: checkIntegrity,
  others: checkOthers,
  node: checkNode,
  sleep: checkSleep,
  disk: checkDisk,
};

/** One after another, for Messages is asked one thing at a time. Never throws: a check that breaks is a finding. */
export async function examineMac(mac: DoctorMac): Promise<Finding[]> {
  if (mac.platform !== 'darwin') return [failed('macos', `This computer is no Mac (${mac.platform}).`, NOT_A_MAC)];
  const findings: Finding[] = [];
  for (const [name, check] of Object.entries(CHECKS)) findings.push(await examine(name, check, mac));
  return findings;
}

async function examine(name: string, check: Check, mac: DoctorMac): Promise<Finding> {
  try {
    return await check(mac);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return failed(name, `This could not be looked at: ${message}`, 'Report this line: it is a fault of Trunkline.');
  }
}
