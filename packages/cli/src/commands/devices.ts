/** `trunkline devices`: the computers whose agents may dial in. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { asFields, type Fields, listOf, numberOf, textOf } from '../fields.ts';
import { formatMoment } from '../moment.ts';
import { gather } from '../option-values.ts';
import { postPatiently } from '../patient-call.ts';
import { openSession, type Session, type Surroundings } from '../surroundings.ts';
import { createTable } from '../table.ts';

const BASE = '/admin/v1/devices';
const HEAD = ['ID', 'NAME', 'PREFIX', 'LINES', 'AGENT', 'CLOCK', 'STATE'];

export function addDevicesCommand(program: Command, surroundings: Surroundings): void {
  const devices = program
    .command('devices')
    .summary('add, list and revoke devices')
    .description('The computers whose agents may dial in, each for some lines.');
  devices
    .command('list')
    .description('Lists the devices, newest first, the revoked ones too.')
    .action(async (_options: unknown, command: Command) => {
      await listDevices(openSession(surroundings, command));
    });
  devices
    .command('get')
    .description('Shows one device.')
    .argument('<id>', 'the device (dev_)')
    .action(async (id: string, _options: unknown, command: Command) => {
      await getDevice(openSession(surroundings, command), id);
    });
  devices
    .command('add')
    .description('Makes a device and prints its token, this once.')
    .argument('<name>', 'what you will know it by')
    .requiredOption('--line <line>', 'a line that it may serve (handle or ln_ id); can be given again', gather)
    .action(async (name: string, options: { readonly line: readonly string[] }, command: Command) => {
      await addDevice(openSession(surroundings, command), name, options.line);
    });
  devices
    .command('revoke')
    .description('Revokes a device for good: its token opens nothing any more.')
    .argument('<id>', 'the device (dev_)')
    .option('--yes', 'do not ask')
    .action(async (id: string, options: { readonly yes?: boolean }, command: Command) => {
      await revokeDevice(openSession(surroundings, command), id, options.yes === true);
    });
}

async function listDevices({ api, terminal, isJson }: Session): Promise<void> {
  const table = createTable(terminal, HEAD);
  for await (const devices of api.pages(BASE, {}, Number.MAX_SAFE_INTEGER)) {
    if (isJson) for (const device of devices) terminal.printJson(device);
    else table.add(devices.map(rowOf));
  }
}

async function getDevice({ api, terminal, isJson }: Session, id: string): Promise<void> {
  const device = await api.call('GET', pathOf(id));
  if (isJson) terminal.printJson(device);
  else createTable(terminal, HEAD).add([rowOf(device)]);
}

/** A lost answer is asked for again: the token would be lost with it. */
async function addDevice(session: Session, name: string, lines: readonly string[]): Promise<void> {
  const { api, terminal, wait, isJson } = session;
  const request = { body: { name, lines }, idempotencyKey: `cli-${randomUUID()}` };
  const device = await postPatiently(api, BASE, request, { wait, note: terminal.note });
  if (isJson) {
    terminal.printJson(device);
    return;
  }
  terminal.note(`Made ${textOf(device, 'id')}. Its token is shown this once:`);
  terminal.print(textOf(device, 'token') ?? '');
  terminal.note('Keep it in a file on that computer, and start the agent there:');
  terminal.note(`  trunkline bridge --server ${api.url} --token-file FILE`);
}

async function revokeDevice({ api, terminal, isJson }: Session, id: string, isSure: boolean): Promise<void> {
  if (!isSure) {
    const device = await api.call('GET', pathOf(id));
    await terminal.confirm(`Revoke ${id} (${textOf(device, 'name')})? It cannot be undone.`);
  }
  const answer = await api.call('DELETE', pathOf(id));
  if (isJson) terminal.printJson(answer);
  else terminal.print(`Revoked ${id}.`);
}

function pathOf(id: string): string {
  return `${BASE}/${encodeURIComponent(id)}`;
}

function rowOf(device: Fields): string[] {
  const lines = listOf(device, 'line_ids');
  return [
    textOf(device, 'id') ?? '-',
    textOf(device, 'name') ?? '-',
    textOf(device, 'prefix') ?? '-',
    lines.length === 0 ? '-' : lines.join(','),
    agentOf(device),
    clockOf(device),
    stateOf(device),
  ];
}

function agentOf(device: Fields): string {
  const agent = asFields(device['agent']);
  const words = [textOf(agent, 'version'), textOf(agent, 'platform')].filter((word) => word !== null);
  return words.length === 0 ? '-' : words.join(' on ');
}

/** How far it is ahead of the server's. */
function clockOf(device: Fields): string {
  const offset = numberOf(device, 'clock_offset_ms');
  if (offset === null) return '-';
  return offset > 0 ? `+${offset} ms` : `${offset} ms`;
}

function stateOf(device: Fields): string {
  if (numberOf(device, 'revoked_at') !== null) return 'revoked';
  const connectedAt = numberOf(device, 'connected_at');
  if (connectedAt === null) return 'never connected';
  const disconnectedAt = numberOf(device, 'disconnected_at');
  if (device['is_connected'] === true) return `connected since ${formatMoment(connectedAt)}`;
  // The server was ended without a word while it was connected.
  if (disconnectedAt === null) return `away, connected at ${formatMoment(connectedAt)}`;
  return `away since ${formatMoment(disconnectedAt)}`;
}
