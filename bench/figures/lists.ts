/** The first page of the list in Sendblue's manner over HTTP, by each filter, beside the one without any. */
import type { EngineKind } from '../../packages/server/src/store/database.ts';
import { type Bench, engineName, inRounds } from '../bench.ts';
import { atMost, type Figure } from '../figure.ts';
import type { Home } from '../home.ts';
import type { Program } from '../programs.ts';
import { gatherStatistics, LINES, type SeededItems, seedItems } from '../seed-items.ts';
import { KEY, startTrunkline } from '../trunkline.ts';

const RATIO_GOAL = 3;
const REQUESTS = 11;
const OK = 200;
const UNFILTERED = 'no filter';

/** By name, what is asked for. */
type Queries = readonly (readonly [string, Readonly<Record<string, string>>])[];

export async function measureLists(bench: Bench): Promise<Figure[]> {
  const { engine } = bench.settings;
  const engines: readonly EngineKind[] = engine ? [engine] : ['sqlite', 'postgres'];
  const figures: Figure[] = [];
  for (const one of engines) figures.push(...(await measureEngine(bench, one)));
  return figures;
}

async function measureEngine(bench: Bench, engine: EngineKind): Promise<Figure[]> {
  const home = await bench.homes.create(engine);
  // The first start makes the account and its line.
  await (await startTrunkline(home)).stop();
  const startedAt = performance.now();
  const seeded = await seedItems(home, bench.settings.messages);
  const seconds = (performance.now() - startedAt) / 1_000;
  bench.say(`wrote ${seeded.items.toLocaleString('en')} items in ${seconds.toFixed(0)} s`);
  const figures: Figure[] = [];
  if (engine === 'postgres') figures.push(...(await measurePages(bench, home, seeded, ' without statistics')));
  await gatherStatistics(home);
  figures.push(...(await measurePages(bench, home, seeded, '')));
  await home.remove();
  return figures;
}

/** The process has the role `api` alone: what is queued stays so. */
async function measurePages(bench: Bench, home: Home, seeded: SeededItems, how: string): Promise<Figure[]> {
  const program = await startTrunkline(home, { environment: { TRUNKLINE_ROLES: 'api' } });
  const keyId = await readKeyId(program);
  const queries = queriesOf(seeded);
  const sides = queries.map(([name, query]) => ({ name, query, own: [] as number[], beside: [] as number[] }));
  await inRounds(bench, `lists on ${engineName(home.engine)}${how}`, async () => {
    for (const { query, own, beside } of sides) {
      beside.push(await readPages(bench, program, keyId, {}));
      own.push(await readPages(bench, program, keyId, query));
    }
    return `${sides[0]?.beside.at(-1)?.toFixed(2)} ms without a filter`;
  });
  await program.stop();
  return sides.map(({ name, own, beside }) => ({
    name: `${engineName(home.engine)}${how}: ${name}, ${seeded.items.toLocaleString('en')} items, p50`,
    unit: 'ms',
    values: own,
    beside: { name: UNFILTERED, values: beside },
    goal: atMost('ratio', RATIO_GOAL),
  }));
}

async function readKeyId({ origin }: Program): Promise<string> {
  const answer = await fetch(`${origin}/admin/v1/keys`, { headers: { authorization: `Bearer ${KEY}` } });
  const { data } = (await answer.json()) as { readonly data: readonly { readonly id: string }[] };
  return data[0]?.id ?? '';
}

async function readPages(
  bench: Bench,
  { origin }: Program,
  keyId: string,
  query: Readonly<Record<string, string>>,
): Promise<number> {
  const headers = { 'sb-api-key-id': keyId, 'sb-api-secret-key': KEY };
  const loaded = await bench.load.call('closedLoop', {
    origin,
    key: KEY,
    connections: 1,
    requests: [{ method: 'GET', path: `/api/v2/messages?${new URLSearchParams(query)}`, headers }],
    status: OK,
    warmUpSeconds: 0,
    until: { requests: REQUESTS },
  });
  return loaded.p50;
}

function queriesOf(seeded: SeededItems): Queries {
  return [...orderQueries(), ...singleQueries(seeded), ...pairQueries(seeded)];
}

function orderQueries(): Queries {
  return [
    ['oldest first', { order_direction: 'asc' }],
    ['by change', { order_by: 'updatedAt' }],
    ['by change, oldest first', { order_by: 'updatedAt', order_direction: 'asc' }],
  ];
}

/** One filter each, with a value that many items have and with one that few have. */
function singleQueries({ peers, groups, firstAt, lastAt }: SeededItems): Queries {
  const part = (share: number) => new Date(firstAt + (lastAt - firstAt) * share).toISOString();
  return [
    ['number, often', { number: peers.often }],
    ['number, rare', { number: peers.rare }],
    ['number, of nobody', { number: '+15559999999' }],
    ['number, of a line', { number: LINES.often }],
    ['from_number, often', { from_number: peers.often }],
    ['from_number, of a line', { from_number: LINES.seldom }],
    ['from_number, rare', { from_number: peers.rare }],
    ['to_number, often', { to_number: peers.often }],
    ['to_number, of a line', { to_number: LINES.often }],
    ['to_number, rare', { to_number: peers.rare }],
    ['sendblue_number, often', { sendblue_number: LINES.often }],
    ['sendblue_number, seldom', { sendblue_number: LINES.seldom }],
    ['sendblue_number, rare', { sendblue_number: LINES.rare }],
    ['group_id, often', { group_id: groups.often }],
    ['group_id, rare', { group_id: groups.rare }],
    ['message_type group', { message_type: 'group' }],
    ['message_type message', { message_type: 'message' }],
    ['is_outbound', { is_outbound: 'true' }],
    ['is_outbound false', { is_outbound: 'false' }],
    ['service iMessage', { service: 'iMessage' }],
    ['service SMS', { service: 'SMS' }],
    ['service RCS', { service: 'RCS' }],
    ...['DELIVERED', 'SENT', 'RECEIVED', 'ERROR', 'QUEUED', 'ACCEPTED', 'DECLINED'].map(
      (status) => [`status ${status}`, { status }] as const,
    ),
    ['created_at_gte, early', { created_at_gte: part(0.1) }],
    ['created_at_gte, late', { created_at_gte: part(0.999) }],
    ['created_at_lte, early', { created_at_lte: part(0.001) }],
    ['sent_at_lte, late', { sent_at_lte: part(0.9) }],
    ['updated_at_gte, early', { updated_at_gte: part(0.1) }],
    ['updated_at_gte, late', { updated_at_gte: part(0.999) }],
    ['updated_at_lte, early', { updated_at_lte: part(0.001) }],
    ['updated_at_lte, late', { updated_at_lte: part(0.9) }],
  ];
}

function pairQueries({ peers, groups, firstAt, lastAt }: SeededItems): Queries {
  const late = new Date(firstAt + (lastAt - firstAt) * 0.999).toISOString();
  const middle = new Date(firstAt + (lastAt - firstAt) * 0.5).toISOString();
  return [
    ['number and its line', { number: peers.often, sendblue_number: LINES.often }],
    ['number and its other line', { number: peers.often, sendblue_number: LINES.seldom }],
    ['number and a line that it never met', { number: peers.often, sendblue_number: LINES.rare }],
    ['rare number and its line', { number: peers.rare, sendblue_number: LINES.often }],
    ['status ERROR since', { status: 'ERROR', updated_at_gte: late }],
    ['status DELIVERED since', { status: 'DELIVERED', updated_at_gte: late }],
    ['status DELIVERED until', { status: 'DELIVERED', updated_at_lte: middle }],
    ['status RECEIVED by change', { status: 'RECEIVED', order_by: 'updatedAt' }],
    ['number and message', { number: peers.often, message_type: 'message' }],
    ['number and group', { number: peers.often, message_type: 'group' }],
    ['line and group', { sendblue_number: LINES.often, message_type: 'group' }],
    ['line and SMS', { sendblue_number: LINES.often, service: 'SMS' }],
    ['line and ERROR', { sendblue_number: LINES.often, status: 'ERROR' }],
    ['line and outbound', { sendblue_number: LINES.often, is_outbound: 'true' }],
    ['number and outbound', { number: peers.often, is_outbound: 'true' }],
    ['number and ERROR', { number: peers.often, status: 'ERROR' }],
    ['group and outbound', { group_id: groups.often, is_outbound: 'true' }],
    ['outbound by change', { is_outbound: 'true', order_by: 'updatedAt' }],
    ['number by change', { number: peers.often, order_by: 'updatedAt' }],
    ['line by change', { sendblue_number: LINES.often, order_by: 'updatedAt' }],
    ['group by change', { message_type: 'group', order_by: 'updatedAt' }],
    ['deep page', { offset: '5000' }],
  ];
}
