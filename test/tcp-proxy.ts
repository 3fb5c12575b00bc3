/** Stands between a server and its PostgreSQL and breaks what runs through it, as networks do. */
import { connect, createServer, type Socket } from 'node:net';

/** How long a commit whose answer will be lost has to reach the database. */
const COMMIT_TRAVELS_MS = 20;
/** The end of a simple query that commits, and a query that listens, as they are on the wire. */
const COMMITS = 'commit\0';
const LISTENS = /listen "/i;

export interface TcpProxy {
  /** The same connection string through the proxy. */
  urlFor(url: string): string;
  /** Ends every connection at once. */
  cut(): void;
  /** Lets so many commits through and ends their connections before the answer. */
  loseAnswers(count: number): void;
  /** How many commits were let through without their answer. */
  answersLost(): number;
  /** From now on connections that listen for notifications stay open, and nothing comes through. */
  swallowListening(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(url);
  const links = new Set<{ near: Socket; far: Socket; isListening: boolean; swallow(): void; cut(): void }>();
  let toLose = 0;
  let lost = 0;
  let isSwallowing = false;

  const server = createServer((near) => {
    const far = connect({ host: hostname, port: Number(port) });
    let isLost = false;
    const link = {
      near,
      far,
      isListening: false,
      swallow() {
        isLost = true;
        far.removeAllListeners('data').resume();
        near.removeAllListeners('data').resume();
      },
      cut() {
        near.resetAndDestroy();
        far.destroy();
      },
    };
    links.add(link);
    const end = (): void => {
      links.delete(link);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
    near.on('data', (chunk) => {
      far.write(chunk);
      const text = chunk.toString('latin1');
      if (LISTENS.test(text)) link.isListening = true;
      if (link.isListening && isSwallowing) link.swallow();
      if (toLose === 0 || isLost || !text.endsWith(COMMITS)) return;
      toLose--;
      lost++;
      isLost = true;
      setTimeout(link.cut, COMMIT_TRAVELS_MS);
    });
    far.on('data', (chunk) => {
      if (!isLost) near.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');

  return {
    urlFor(original) {
      const through = new URL(original);
      through.port = String(address.port);
      return through.href;
    },
    cut() {
      for (const link of [...links]) link.cut();
    },
    loseAnswers(count) {
      toLose = count;
    },
    answersLost: () => lost,
    swallowListening() {
      isSwallowing = true;
      for (const link of links) if (link.isListening) link.swallow();
    },
    async close() {
      for (const link of [...links]) link.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
