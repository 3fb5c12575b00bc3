/** The agent's socket: only its user may ask, and whoever asks gets an answer or is told that there is none. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isLockHeld, takeAgentLock } from '../src/macos/doctor/agent-lock.ts';
import { askAgent } from '../src/macos/doctor/ask-agent.ts';
import { type Answers, type DoctorSocket, serveDoctorSocket } from '../src/macos/doctor/doctor-socket.ts';
import { examineMac } from '../src/macos/doctor/examine-mac.ts';
import { socketPath } from '../src/macos/doctor/questions.ts';
import { stateFolderOf } from '../src/macos/doctor/state-folder.ts';
import { doctorMac, SAID_AT_ONCE } from './doctor-stage.ts';
import { startFakeMac } from './fake-mac/mac.ts';

const ANSWER_WAIT_MS = 15_000;
const SHORT_WAIT_MS = 100;

let folder: string;
const open: { sockets: DoctorSocket[]; children: ChildProcess[] } = { sockets: [], children: [] };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-'));
});
afterEach(async () => {
  for (const child of open.children.splice(0)) child.kill('SIGKILL');
  for (const socket of open.sockets.splice(0)) await socket.close();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(answers: Partial<Answers> = {}): Promise<DoctorSocket> {
  const socket = await serveDoctorSocket(folder, {
    doctor: () => Promise.resolve([]),
    status: () => Promise.resolve({ line: '+15550100001' }),
    ...answers,
  });
  open.sockets.push(socket);
  return socket;
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

it('answers each question, several at once, and is closed to other users', async () => {
  chmodSync(folder, 0o755);
  await serve();
  expect([modeOf(folder), modeOf(socketPath(folder))]).toEqual(['700', '600']);
  expect(
    await Promise.all([askAgent(folder, 'status', ANSWER_WAIT_MS), askAgent(folder, 'doctor', ANSWER_WAIT_MS)]),
  ).toEqual([
    { state: 'answered', answer: { line: '+15550100001' } },
    { state: 'answered', answer: [] },
  ]);
});

it('carries what the checks found from the agent to whoever asks', async () => {
  const fake = await startFakeMac();
  const told = { ...SAID_AT_ONCE, '/usr/bin/osascript': { stdout: '' } };
  await serve({ doctor: () => examineMac(doctorMac(fake, { told })) });
  const said = await askAgent(folder, 'doctor', ANSWER_WAIT_MS);
  await fake.close();
  expect(said).toMatchObject({ state: 'answered' });
  const findings = said.state === 'answered' && Array.isArray(said.answer) ? said.answer : [];
  expect(findings).toContainEqual(expect.objectContaining({ name: 'accounts', state: 'failed' }));
  expect(findings).toHaveLength(16);
});

it('looks at one thing at a time, however many ask', async () => {
  const looks = { running: 0, most: 0, all: 0 };
  const doctor = async (): Promise<unknown> => {
    looks.running += 1;
    looks.all += 1;
    looks.most = Math.max(looks.most, looks.running);
    await sleep(SHORT_WAIT_MS);
    looks.running -= 1;
    return [looks.all];
  };
  await serve({ doctor });
  const asked = Array.from({ length: 5 }, () => askAgent(folder, 'doctor', ANSWER_WAIT_MS));
  for (const one of await Promise.all(asked)) expect(one).toMatchObject({ state: 'answered' });
  expect(looks.most).toBe(1);
  const before = looks.all;
  expect(await askAgent(folder, 'doctor', ANSWER_WAIT_MS)).toEqual({ state: 'answered', answer: [before + 1] });
});

it('tells an agent that is absent from one that is silent', async () => {
  expect(await askAgent(folder, 'status', ANSWER_WAIT_MS)).toEqual({ state: 'absent' });
  const socket = await serve({ status: () => new Promise(() => undefined) });
  expect(await askAgent(folder, 'status', SHORT_WAIT_MS)).toEqual({ state: 'silent' });
  await socket.close();
  open.sockets.length = 0;
  expect(await askAgent(folder, 'status', ANSWER_WAIT_MS)).toEqual({ state: 'absent' });
});

it('takes the place of a socket that a killed agent left behind', async () => {
  const path = socketPath(folder);
  const child = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`,
  ]);
  open.children.push(child);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(statSync(path).isSocket()).toBe(true);
  expect(await askAgent(folder, 'status', ANSWER_WAIT_MS)).toEqual({ state: 'absent' });
  await serve();
  expect(await askAgent(folder, 'status', ANSWER_WAIT_MS)).toMatchObject({ state: 'answered' });
});

it('says what went wrong with an answer, and knows only its own questions', async () => {
  await serve({ doctor: () => Promise.reject(new Error('The driver has ended.')) });
  expect(await askAgent(folder, 'doctor', ANSWER_WAIT_MS)).toEqual({
    state: 'refused',
    error: 'The driver has ended.',
  });
  expect(await say('secrets\n')).toBe('{"error":"This agent does not know the question."}\n');
  expect(await say('constructor\n')).toContain('does not know');
  expect(await say('x'.repeat(5_000))).toBe('');
});

it('is not deceived by something else on the socket', async () => {
  const server = createServer((socket) => socket.resume().end('not JSON'));
  server.listen(socketPath(folder));
  await once(server, 'listening');
  expect(await askAgent(folder, 'status', ANSWER_WAIT_MS)).toEqual({ state: 'silent' });
  server.close();
  await once(server, 'close');
});

it('refuses a folder whose name is too long for a socket', async () => {
  const long = join(folder, 'x'.repeat(100));
  await expect(serveDoctorSocket(long, { doctor: async () => [], status: async () => ({}) })).rejects.toThrow(
    'too long',
  );
});

it('lets one agent alone have a folder, until its process has ended in whatever way', async () => {
  expect(isLockHeld(folder)).toBe(false);
  const module = fileURLToPath(new URL('../src/macos/doctor/agent-lock.ts', import.meta.url));
  const words = `import { takeAgentLock } from ${JSON.stringify(module)};
    console.log(takeAgentLock(${JSON.stringify(folder)}) !== null); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', words]);
  open.children.push(child);
  const [said] = await once(child.stdout, 'data');
  expect(String(said)).toBe('true\n');
  expect(takeAgentLock(folder)).toBeNull();
  expect(isLockHeld(folder)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = takeAgentLock(folder);
  expect(lock).not.toBeNull();
  expect(takeAgentLock(folder)).toBeNull();
  lock?.release();
  expect(isLockHeld(folder)).toBe(false);
});

it('lies where each system keeps such things', () => {
  expect(stateFolderOf('darwin', '/Users/a')).toBe('/Users/a/Library/Application Support/Trunkline');
  expect(stateFolderOf('linux', '/home/a')).toBe('/home/a/.local/state/trunkline');
});

/** Everything that the agent says to these words. */
async function say(words: string): Promise<string> {
  const socket = connect(socketPath(folder));
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined).write(words);
  await once(socket, 'close');
  return text;
}
