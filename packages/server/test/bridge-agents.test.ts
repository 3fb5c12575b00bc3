/** Agents that a remote line meets: two at once, one in the place of another, one that says what it should not. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { addRemoteLine, FAR_PHONE, REMOTE_LINE } from './far-mac.ts';
import { ENGINES, expectStatus, startTestServer, type TestServer, waitFor } from './harness.ts';
import { refOf } from './tenancy.ts';

type Frame = { readonly type: string } & Record<string, unknown>;

interface Agent {
  readonly socket: WebSocket;
  readonly frames: Frame[];
  /** The close code. */
  readonly closed: Promise<number>;
  say(frame: object): void;
  hello(instance: string): void;
  /** The first frame of that type from now on, or of those that are here. */
  heard(type: string): Promise<Frame>;
}

const CAN_TEXT = { text: true };

function message(guid: string, text: string): object {
  return {
    ...{ kind: 'message', cursor: guid, guid, isFromMe: false, sender: FAR_PHONE, text, attachments: [] },
    chat: { identifier: FAR_PHONE, isGroup: false, name: null, participants: [FAR_PHONE], service: 'imessage' },
    ...{ isAudioMessage: false, service: 'imessage', sentAt: Date.now(), replyToGuid: null, effect: null },
    ...{ reference: null, itemPart: 0, isWholeItem: true, isOld: false, deliveredAt: null, readAt: null, awaits: null },
  };
}

describe.each(ENGINES)('the agents of a remote line on %s', (engine) => {
  let test: TestServer;
  let origin: string;
  let token: string;
  let device: string;
  let isStopped = false;
  const agents: Agent[] = [];

  beforeEach(async () => {
    isStopped = false;
    test = await startTestServer(engine);
    origin = (await test.server.listen()) ?? '';
    ({ token, device } = await addRemoteLine(test));
  });
  afterEach(async () => {
    for (const { socket } of agents.splice(0)) socket.terminate();
    if (!isStopped) await test.stop();
  });

  async function dial(): Promise<Agent> {
    const headers = { authorization: `Bearer ${token}` };
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/bridge/v1/connect`, { headers });
    const frames: Frame[] = [];
    const agent: Agent = {
      socket,
      frames,
      closed: new Promise((resolve) => socket.on('close', resolve)),
      say: (frame) => socket.send(JSON.stringify(frame)),
      hello: (instance) => {
        const self = { version: '0.1.0', platform: 'test', driver: 'test' };
        agent.say({ type: 'hello', version: 1, line: null, instance, agent: self });
      },
      heard: (type) => waitFor(() => frames.find((frame) => frame.type === type), `a frame ${type}`),
    };
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      frames.push(frame);
      if (frame.type === 'welcome') agent.say({ type: 'ready', capabilities: CAN_TEXT, inFlight: 1 });
    });
    agents.push(agent);
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    return agent;
  }
  /** Tries again while the line is still another agent's, whose end the server has not noticed. */
  const ready = async (instance: string): Promise<Agent> => {
    const agent = await dial();
    agent.hello(instance);
    const code = await Promise.race([agent.heard('welcome').then(() => null), agent.closed]);
    if (code === 4409) return ready(instance);
    expect(code).toBeNull();
    agent.say({ type: 'health', state: 'online', reason: null, capabilities: CAN_TEXT });
    return agent;
  };
  const send = async (text: string) => {
    const body = { from: REMOTE_LINE, to: FAR_PHONE, text };
    return String(expectStatus(201, await test.call('POST', '/v1/messages', body)).body['id']);
  };
  const stateOf = async (id: string) => {
    const item = test.server.engine.query.selectFrom('outbox').select('state').where('id', '=', id);
    return (await item.executeTakeFirstOrThrow()).state;
  };

  it('are one at a time, also where two dial in at the same moment', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [one, other] = await Promise.all([dial(), dial()]);
      one.hello(`one ${round}`);
      other.hello(`other ${round}`);
      const refused = await Promise.race([one.closed.then(() => one), other.closed.then(() => other)]);
      const taken = refused === one ? other : one;
      expect(await refused.closed).toBe(4409);
      await taken.heard('welcome');
      expect(refused.frames).toEqual([]);
      taken.socket.close(1000);
      const lane = `line ${(await refOf(test, REMOTE_LINE)).ref}`;
      await waitFor(async () => {
        const lease = test.server.engine.query.selectFrom('leases').select('expires_at').where('name', '=', lane);
        return (await lease.executeTakeFirstOrThrow()).expires_at === 0 || undefined;
      }, 'the lease to be free');
    }
  });

  it('are believed that nothing was begun by themselves alone', async () => {
    const first = await ready('the first');
    const id = await send('Once');
    await first.heard('send');
    first.socket.terminate();
    const other = await ready('another');
    const asked = await other.heard('find');
    other.say({ type: 'found', id: asked['id'], answers: { [id]: { state: 'not_started' } } });
    await waitFor(async () => (await stateOf(id)) === 'unknown' || undefined, 'the item to be unknown');
    const next = await send('The next');
    const { command } = (await other.heard('send')) as unknown as { command: { reference: string } };
    expect(command.reference).toBe(next);
    other.socket.terminate();
    const again = await ready('another');
    const askedAgain = await again.heard('find');
    again.say({ type: 'found', id: askedAgain['id'], answers: { [next]: { state: 'not_started' } } });
    expect((await again.heard('send'))['command']).toMatchObject({ reference: next, attempt: 2 });
  });

  it('may come again where the server stops before it has taken them', async () => {
    const agent = await dial();
    isStopped = true;
    const stopping = test.stop();
    agent.hello('late');
    expect(await agent.closed).toBe(1012);
    await stopping;
  });

  it('have no time taken that was not asked for', async () => {
    const agent = await ready('the Mac');
    const { asked } = await agent.heard('time');
    agent.say({ type: 'time', asked, at: Number(asked) + 5_000 });
    for (let count = 0; count < 50; count += 1) agent.say({ type: 'time', asked, at: Number(asked) + 90_000 + count });
    agent.say({ type: 'report', first: 1, events: [message('LAST', 'After them')] });
    await agent.heard('committed');
    const { body } = await test.call('GET', `/admin/v1/devices/${device}`);
    expect(Number(body['clock_offset_ms'])).toBeLessThanOrEqual(5_000);
    expect(body['is_connected']).toBe(true);
  });

  it('report once at a time, and whoever does not wait is let go', async () => {
    const agent = await ready('the Mac');
    agent.say({ type: 'report', first: 1, events: [message('A', 'One')] });
    agent.say({ type: 'report', first: 2, events: [message('B', 'Two')] });
    expect(await agent.closed).toBe(4400);
  });

  it('may say a NUL, which no database keeps', async () => {
    const agent = await ready('the Mac');
    agent.say({ type: 'report', first: 1, events: [message('N', 'Before\0 and after \\u0000')] });
    await agent.heard('committed');
    const { query } = test.server.engine;
    const texts = await query.selectFrom('messages').select('text').where('guid', '=', 'N').execute();
    expect(texts).toEqual([{ text: 'Before and after \\u0000' }]);
  });
});
