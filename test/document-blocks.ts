/** The code in the documents that people copy from: every block, with the place where it stands. */
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const DOCUMENTS = ['README.md', 'packages/*/README.md', 'docs/guides/*.md'];

export interface Block {
  /** `README.md:17` */
  readonly place: string;
  readonly path: string;
  /** `ts`, `js`, `sh`, `json` and whatever else stands behind the fence. */
  readonly language: string;
  readonly text: string;
}

export function readBlocks(): Block[] {
  const paths = globSync(DOCUMENTS, { cwd: ROOT }).sort();
  return paths.flatMap((path) => blocksOf(path, readFileSync(join(ROOT, path), 'utf8')));
}

export function blocksOf(path: string, text: string): Block[] {
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm)].map((match) => {
    const [, indent = '', language = '', body = ''] = match;
    const line = text.slice(0, match.index).split('\n').length;
    return { place: `${path}:${line}`, path, language, text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), '') };
  });
}

/** Every `trunkline …` of a script, as words; comments and what is piped into it are left out. */
export function commandsIn(script: string): string[][] {
  const lines = script.replaceAll(/\\\n\s*/g, ' ').split('\n');
  return lines.flatMap((line) => {
    const [, rest] = /^\s*(?:\$ )?(?:npx )?trunkline (.*)$/.exec(line) ?? [];
    return rest === undefined ? [] : [wordsOf(rest)];
  });
}

function wordsOf(line: string): string[] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  const end = words.findIndex((word) => /^[|>&;#]/.test(word));
  return (end === -1 ? words : words.slice(0, end)).map((word) => word.replaceAll(/['"]/g, ''));
}
