/** What the system says of a process: its memory, and whether it still works. Read from `/proc`, so on Linux only. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const QUIET_SAMPLE_MS = 400;
/** A server at rest looks around now and then; a hundredth of a second of CPU each. */
const QUIET_TICKS = 4;
const QUIET_WITHIN_MS = 600_000;
const WAIT_WITHOUT_PROC_MS = 5_000;
const MEGABYTE = 1_000_000;
/** `USER_HZ`, which Linux shows to programs on every machine. */
const TICKS_PER_SECOND = 100;

export interface Memory {
  readonly residentMb: number;
  readonly peakMb: number;
}

/** Whether the system tells these things at all. */
export const HAS_PROC = existsSync('/proc/self/status');

export function readMemory(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return { residentMb: megabytes(status, 'VmRSS'), peakMb: megabytes(status, 'VmHWM') };
}

/** Waits until the process has worked off what it was given. */
export async function untilQuiet(pid: number): Promise<void> {
  if (!HAS_PROC) return sleep(WAIT_WITHOUT_PROC_MS);
  for (let waited = 0; waited < QUIET_WITHIN_MS; waited += QUIET_SAMPLE_MS) {
    const before = cpuTicks(pid);
    await sleep(QUIET_SAMPLE_MS);
    if (cpuTicks(pid) - before <= QUIET_TICKS) return;
  }
  throw new Error('A server did not come to rest.');
}

/** Of all its threads, in user and system mode. */
export function readCpuSeconds(pid: number): number {
  return cpuTicks(pid) / TICKS_PER_SECOND;
}

function megabytes(status: string, name: string): number {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  return (Number(kibibytes) * 1024) / MEGABYTE;
}

function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; user and system time are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
