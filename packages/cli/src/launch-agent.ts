/** The file by which launchd starts the agent when its user logs in, and keeps it running. */
import { join } from 'node:path';
import type { BridgeHost } from './bridge-host.ts';

export const LABEL = 'com.trunkline.bridge';
/** Seconds between two starts. */
const THROTTLE_S = 10;
/** 077: what the agent makes is its user's alone. */
const UMASK = 0o077;
/** launchd's own PATH, without anything that a package manager adds. */
const PATH = '/usr/bin:/bin:/usr/sbin:/sbin';

export interface LaunchAgentPaths {
  readonly plist: string;
  readonly logs: string;
}

export function launchAgentPaths(home: string): LaunchAgentPaths {
  return { plist: join(home, 'Library/LaunchAgents', `${LABEL}.plist`), logs: join(home, 'Library/Logs/Trunkline') };
}

/** `words` follow `trunkline bridge`; none of them is a secret, for every process of the Mac can read them. */
export function launchAgentPlist({ home, node, command }: BridgeHost, words: readonly string[]): string {
  const log = join(launchAgentPaths(home).logs, 'bridge.log');
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${toPlist({
  Label: LABEL,
  ProgramArguments: [node, command, 'bridge', ...words],
  RunAtLoad: true,
  KeepAlive: { SuccessfulExit: false, Crashed: true },
  ThrottleInterval: THROTTLE_S,
  LimitLoadToSessionType: 'Aqua',
  ProcessType: 'Interactive',
  EnvironmentVariables: { HOME: home, LANG: 'en_US.UTF-8', PATH },
  WorkingDirectory: home,
  StandardOutPath: log,
  StandardErrorPath: log,
  Umask: UMASK,
})}
</plist>
`;
}

type PlistValue = string | number | boolean | readonly PlistValue[] | { readonly [key: string]: PlistValue };

function toPlist(value: PlistValue, indent = ''): string {
  const inner = `${indent}  `;
  if (typeof value === 'string') return `${indent}<string>${escapeXml(value)}</string>`;
  if (typeof value === 'number') return `${indent}<integer>${value}</integer>`;
  if (typeof value === 'boolean') return `${indent}<${value}/>`;
  if (isList(value))
    return [`${indent}<array>`, ...value.map((one) => toPlist(one, inner)), `${indent}</array>`].join('\n');
  const entries = Object.entries(value).flatMap(([key, one]) => [
    `${inner}<key>${escapeXml(key)}</key>`,
    toPlist(one, inner),
  ]);
  return [`${indent}<dict>`, ...entries, `${indent}</dict>`].join('\n');
}

function isList(value: PlistValue): value is readonly PlistValue[] {
  return Array.isArray(value);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
