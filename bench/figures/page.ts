/** A page of 50 messages over HTTP, the newest and the deepest one of a long chat, in a large and in a small database. */
import { type Bench, engineName, inRounds } from '../bench.ts';
import { atMost, type Figure } from '../figure.ts';
import type { Home } from '../home.ts';
import type { Loaded } from '../load/closed-loop.ts';
import type { Program } from '../programs.ts';
import { type SeededChat, seedMessages } from '../seed-messages.ts';
import { KEY, LINE, prepareHome, startTrunkline } from '../trunkline.ts';

const SMALL = 100_000;
const PAGE = 50;
const P50_GOAL_MS = 1;
const P99_GOAL_MS = 5;
const RATIO_GOAL = 2;

const DEPTHS = ['newest', 'deepest'] as const;
type Depth = (typeof DEPTHS)[number];

interface Side {
  readonly home: Home;
  readonly program: Program;
  readonly chat: SeededChat;
  readonly rounds: Readonly<Record<Depth, Loaded[]>>;
}

export async function measurePage(bench: Bench): Promise<Figure[]> {
  const { messages } = bench.settings;
  const small = await openSide(bench, Math.min(SMALL, messages / 10));
  const large = await openSide(bench, messages);
  await inRounds(bench, 'page', async () => {
    const shown: string[] = [];
    for (const depth of DEPTHS) {
      for (const side of [small, large]) {
        const loaded = await readPages(bench, side, depth);
        side.rounds[depth].push(loaded);
        shown.push(`${loaded.p50.toFixed(2)} ms`);
      }
    }
    return shown.join(', ');
  });
  for (const { program, home } of [small, large]) {
    await program.stop();
    await home.remove();
  }
  return figuresOf(small, large);
}

async function openSide(bench: Bench, messages: number): Promise<Side> {
  const home = await bench.homes.create(bench.settings.engine ?? 'sqlite');
  await prepareHome(home);
  const startedAt = performance.now();
  const chat = await seedMessages(home, messages);
  const seconds = (performance.now() - startedAt) / 1_000;
  bench.say(`wrote ${messages.toLocaleString('en')} messages in ${seconds.toFixed(0)} s`);
  return { home, chat, program: await startTrunkline(home), rounds: { newest: [], deepest: [] } };
}

/** One connection: how long a page takes, not how many there are in a second. */
function readPages(bench: Bench, { program, chat }: Side, depth: Depth): Promise<Loaded> {
  const query = new URLSearchParams({ from: LINE, to: chat.id, limit: String(PAGE) });
  if (depth === 'deepest') query.set('cursor', chat.deepestCursor);
  const { seconds, warmUpSeconds } = bench.settings;
  return bench.load.call('closedLoop', {
    origin: program.origin,
    key: KEY,
    connections: 1,
    requests: [{ method: 'GET', path: `/v1/messages?${query}` }],
    status: 200,
    warmUpSeconds,
    until: { seconds },
  });
}

function figuresOf(small: Side, large: Side): Figure[] {
  const name = (side: Side, depth: Depth) =>
    `${engineName(side.home.engine)}: ${depth} page, ${side.chat.messages.toLocaleString('en')} messages`;
  const values = (side: Side, depth: Depth, key: 'p50' | 'p99') => side.rounds[depth].map((loaded) => loaded[key]);
  const figure = (depth: Depth, key: 'p50' | 'p99', limit: number): Figure => ({
    name: `${name(large, depth)}, ${key}`,
    unit: 'ms',
    values: values(large, depth, key),
    beside: null,
    goal: atMost('value', limit),
  });
  const smallName = `at ${small.chat.messages.toLocaleString('en')}`;
  const ratio = (depth: Depth, beside: Figure['beside']): Figure => ({
    name: `${name(large, depth)}, p50`,
    unit: 'ms',
    values: values(large, depth, 'p50'),
    beside,
    goal: atMost('ratio', RATIO_GOAL),
  });
  return [
    figure('newest', 'p50', P50_GOAL_MS),
    figure('newest', 'p99', P99_GOAL_MS),
    figure('deepest', 'p50', P50_GOAL_MS),
    figure('deepest', 'p99', P99_GOAL_MS),
    ratio('deepest', { name: 'newest', values: values(large, 'newest', 'p50') }),
    ratio('newest', { name: smallName, values: values(small, 'newest', 'p50') }),
    ratio('deepest', { name: smallName, values: values(small, 'deepest', 'p50') }),
  ];
}
