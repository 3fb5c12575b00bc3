/** The yardstick of every rate: a server that takes sends and keeps nothing. */
import { serveSends } from './send-app.ts';

await serveSends(() => undefined);
