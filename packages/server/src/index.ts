/** The server, for those who start it from a program: the command, the tests, the benchmarks. */
export { type Clock, systemClock } from './clock.ts';
export { type Config, ConfigError, readConfig } from './config.ts';
export { FAILPOINTS, type Failpoint, noFailpoints, type ReachFailpoint } from './domain/failpoint.ts';
export { createLog, type Log } from './log.ts';
export { type RunOptions, run } from './run.ts';
export { createServer, type Server, type ServerOptions } from './server.ts';
export { type Backup, type BackupOptions, backupDataFolder } from './store/backup.ts';
