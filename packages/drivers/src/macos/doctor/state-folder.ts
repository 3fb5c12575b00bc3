/** Where an agent keeps what it must not forget: its journal, its lock, its log, its socket. */
import { join } from 'node:path';

export function stateFolderOf(platform: NodeJS.Platform, home: string): string {
  return join(home, platform === 'darwin' ? 'Library/Application Support/Trunkline' : '.local/state/trunkline');
}
