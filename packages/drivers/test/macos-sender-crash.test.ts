/** A sender that is killed at any moment, again and again: nothing goes out twice, and nothing that can be known is lost. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text as readAll } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type FakeMac, startFakeMac } from './fake-mac/mac.ts';
import type { AgentJob, AgentLine } from './sending-agent.ts';
import { PEER } from './sending-mac.ts';

const AGENT = fileURLToPath(new URL('./sending-agent.ts', import.meta.url));
const REFERENCES = ['obx_1', 'obx_2', 'obx_3', 'obx_4', 'obx_5', 'obx_6'];
/** From an agent's first word to its end; then one that may finish. */
const KILLED_AFTER_MS = [0, 20, 60, 100, 140, 180, 230, 290, 360, 450];

const open: { mac: FakeMac | null } = { mac: null };

afterEach(async () => {
  await open.mac?.close();
  open.mac = null;
});

/** As the server keeps it: what is being sent when the agent ends is lost, and asked about. */
type Item = { readonly attempt: number; readonly state: 'pending' | 'sending' | 'lost' | 'sent' | 'unknown' };

describe('a sender that is killed at any moment', () => {
  it('has sent each text and each file once, or says that it does not know', async () => {
    const mac = await startFakeMac();
    open.mac = mac;
    await mac.act('text', { from: PEER, text: 'Hello' });
    await mac.act('behave', { rules: [], timings: { answerMs: 40, rowMs: 60, joinMs: 30 } });
    const items = new Map<string, Item>(REFERENCES.map((one) => [one, { attempt: 1, state: 'pending' }]));
    for (const killedAfterMs of KILLED_AFTER_MS) await runAgent(mac, items, killedAfterMs);
    await runAgent(mac, items, null);
    await mac.settle();
    // By now the rows of all that went out are there.
    for (const [reference, item] of items)
      if (item.state === 'unknown') items.set(reference, { ...item, state: 'lost' });
    await runAgent(mac, items, null);
    await mac.settle();

    const got = (await mac.act('received', { chat: PEER })).map(({ text, files: [file] }) => text ?? file?.name ?? '');
    expect(new Set(got).size).toBe(got.length);
    for (const [reference, { state }] of items) {
      expect(['sent', 'unknown']).toContain(state);
      if (state === 'sent') expect(got).toEqual(expect.arrayContaining([reference, `${reference}.jpg`]));
    }
    const lost = [...items].filter(([, { state }]) => state === 'unknown');
    // An agent that dies between its journal and its script leaves what nobody can know; most it can.
    expect(lost.length).toBeLessThan(REFERENCES.length);
    expect(mac.osascriptCalls().length).toBeGreaterThanOrEqual(got.length);
  }, 60_000);
});

async function runAgent(mac: FakeMac, items: Map<string, Item>, killedAfterMs: number | null): Promise<void> {
  const those = (state: Item['state']) =>
    [...items].flatMap(([reference, item]) => (item.state === state ? [{ reference, attempt: item.attempt }] : []));
  const { folder, home, chatDb, osascript } = mac;
  const job: AgentJob = { folder, home, chatDb, osascript, peer: PEER, lost: those('lost'), pending: those('pending') };
  const agent = spawn(process.execPath, [AGENT, JSON.stringify(job)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(agent, 'exit');
  const printed = readAll(agent.stdout);
  if (killedAfterMs !== null) await killAfter(agent, killedAfterMs);
  await exited;
  for (const line of (await printed).split('\n').slice(0, -1)) note(items, JSON.parse(line));
  for (const [reference, item] of items) if (item.state === 'sending') items.set(reference, { ...item, state: 'lost' });
}

async function killAfter(agent: ChildProcess, ms: number): Promise<void> {
  if (agent.stdout === null) throw new Error('The agent has no pipe.');
  await Promise.race([once(agent.stdout, 'data'), once(agent, 'exit')]);
  await new Promise((resolve) => setTimeout(resolve, ms));
  agent.kill('SIGKILL');
}

function note(items: Map<string, Item>, line: AgentLine): void {
  const { attempt = 1 } = items.get(line.reference) ?? {};
  if (line.what === 'begins') items.set(line.reference, { attempt: line.attempt, state: 'sending' });
  else if (line.state === 'not_started') items.set(line.reference, { attempt, state: 'lost' });
  else if (line.state === 'sent' || line.state === 'found') items.set(line.reference, { attempt, state: 'sent' });
  else items.set(line.reference, { attempt, state: 'unknown' });
}
