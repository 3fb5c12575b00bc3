/** Reads a TypeScript file into the few facts that the architecture rules need. Pure: text in, facts out. */
import { parseAst } from 'vitest/node';

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface ImportFact {
  readonly specifier: string;
  /** Erased before the program runs: such an import cannot close a cycle. */
  readonly typeOnly: boolean;
  /** The imported names; empty for `import 'x'` and `import('x')`, `*` for everything. */
  readonly names: readonly string[];
  /** The names under which a re-export hands them on; empty for an import. */
  readonly exportedAs: readonly string[];
  readonly line: number;
}

export interface Finding {
  readonly what: string;
  readonly line: number;
}

export interface SourceFacts {
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly ImportFact[];
  readonly functions: readonly { name: string; line: number; lines: number }[];
  readonly defaultExports: readonly Finding[];
  readonly environmentReads: readonly Finding[];
  readonly ambientReads: readonly Finding[];
  readonly skippedTests: readonly Finding[];
  readonly escapes: readonly Finding[];
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

const TEST_FUNCTIONS = ['it', 'test', 'describe', 'suite', 'bench'];
const SKIPPING = ['skip', 'only', 'todo', 'skipIf', 'runIf'];
const SILENCED = /@ts-(?:ignore|expect-error|nocheck)|biome-(?:ignore)|eslint-(?:disable)/;

export function readSourceFacts(file: SourceFile): SourceFacts {
  const lineAt = lineFinder(file.text);
  const facts: Mutable<SourceFacts> = {
    path: file.path,
    lines: file.text.split('\n').length - (file.text.endsWith('\n') ? 1 : 0),
    imports: [],
    functions: [],
    defaultExports: [],
    environmentReads: [],
    ambientReads: [],
    skippedTests: [],
    escapes: silencedLines(file.text),
  };
  const program: unknown = parseAst(file.text, { lang: file.path.endsWith('.tsx') ? 'tsx' : 'ts' }, file.path);
  walk(program, undefined, (node, parent) => {
    const line = lineAt(node.start);
    readImport(node, line, facts.imports);
    readFunction(node, parent, lineAt, facts.functions);
    readDefaultExport(node, line, facts.defaultExports);
    readEnvironment(node, line, facts.environmentReads);
    readAmbient(node, line, facts.ambientReads);
    readSkip(node, line, facts.skippedTests);
    readEscape(node, line, facts.escapes);
  });
  return facts;
}

function readImport(node: Node, line: number, into: ImportFact[]): void {
  const specifier = text(child(node, 'source'), 'value') ?? text(child(child(node, 'argument'), 'literal'), 'value');
  if (specifier === undefined) return;
  const specifiers = children(node, 'specifiers');
  const typeOnly = node['importKind'] === 'type' || node['exportKind'] === 'type';
  if (node.type === 'ImportDeclaration') {
    const names = specifiers.map((one) => text(child(one, 'imported'), 'name') ?? '*');
    into.push({ specifier, typeOnly, names, exportedAs: [], line });
  } else if (node.type === 'ExportNamedDeclaration') {
    const names = specifiers.map((one) => text(child(one, 'local'), 'name') ?? '*');
    const exportedAs = specifiers.map((one) => text(child(one, 'exported'), 'name') ?? '*');
    into.push({ specifier, typeOnly, names, exportedAs, line });
  } else if (node.type === 'ExportAllDeclaration') {
    into.push({ specifier, typeOnly, names: ['*'], exportedAs: ['*'], line });
  } else if (node.type === 'ImportExpression') {
    into.push({ specifier, typeOnly: false, names: ['*'], exportedAs: [], line });
  } else if (node.type === 'TSImportType') {
    into.push({ specifier, typeOnly: true, names: ['*'], exportedAs: [], line });
  }
}

function readFunction(
  node: Node,
  parent: Node | undefined,
  lineAt: (offset: number) => number,
  into: { name: string; line: number; lines: number }[],
): void {
  const isFunction = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'].includes(node.type);
  if (!isFunction || child(node, 'body') === undefined) return;
  const holder = parent?.type === 'VariableDeclarator' ? child(parent, 'id') : child(parent, 'key');
  const name = text(child(node, 'id'), 'name') ?? text(holder, 'name') ?? 'a function without a name';
  const line = lineAt(node.start);
  into.push({ name, line, lines: lineAt(node.end - 1) - line + 1 });
}

function readDefaultExport(node: Node, line: number, into: Finding[]): void {
  const renamed =
    node.type === 'ExportSpecifier' &&
    (text(child(node, 'exported'), 'name') ?? text(child(node, 'exported'), 'value')) === 'default';
  if (node.type === 'ExportDefaultDeclaration' || node.type === 'TSExportAssignment' || renamed) {
    into.push({ what: 'a default export', line });
  }
}

function readEnvironment(node: Node, line: number, into: Finding[]): void {
  const isMember = node.type === 'MemberExpression' && isName(child(node, 'object'), 'process');
  const member = isMember && propertyName(node) === 'env';
  const source = text(child(node, 'source'), 'value');
  const imported = node.type === 'ImportDeclaration' && (source === 'node:process' || source === 'process');
  const taken =
    node.type === 'VariableDeclarator' &&
    isName(child(node, 'init'), 'process') &&
    children(child(node, 'id'), 'properties').some((one) => isName(child(one, 'key'), 'env'));
  if (member || imported || taken) into.push({ what: 'the environment', line });
}

function readAmbient(node: Node, line: number, into: Finding[]): void {
  if (node.type === 'MemberExpression') {
    const object = text(child(node, 'object'), 'name');
    const read = `${object}.${propertyName(node)}`;
    if (read === 'Date.now' || read === 'Math.random' || read === 'performance.now') into.push({ what: read, line });
  }
  const isDate = isName(child(node, 'callee'), 'Date');
  if (node.type === 'NewExpression' && isDate && children(node, 'arguments').length === 0) {
    into.push({ what: 'new Date() without an argument', line });
  }
  if (node.type === 'CallExpression' && isDate) into.push({ what: 'Date()', line });
}

function readSkip(node: Node, line: number, into: Finding[]): void {
  if (node.type === 'MemberExpression') {
    const property = propertyName(node) ?? '';
    const root = rootName(child(node, 'object'));
    if (SKIPPING.includes(property) && TEST_FUNCTIONS.includes(root ?? '')) {
      into.push({ what: `${root}.${property}`, line });
    }
  }
  if (node.type !== 'CallExpression') return;
  const called = rootName(child(node, 'callee')) ?? '';
  if (['xit', 'xtest', 'xdescribe', 'fit', 'fdescribe'].includes(called)) into.push({ what: called, line });
  if (!TEST_FUNCTIONS.includes(called)) return;
  const options = children(node, 'arguments').flatMap((one) => children(one, 'properties'));
  for (const option of options) {
    const key = text(child(option, 'key'), 'name') ?? '';
    if (SKIPPING.includes(key)) into.push({ what: `the option ${key} of ${called}`, line });
  }
}

function readEscape(node: Node, line: number, into: Finding[]): void {
  if (node.type === 'TSAnyKeyword') into.push({ what: 'the type any', line });
  if (node.type === 'TSNonNullExpression' || node['definite'] === true) into.push({ what: 'a non-null !', line });
}

function silencedLines(source: string): Finding[] {
  return source
    .split('\n')
    .flatMap((one, index) => (SILENCED.test(one) ? [{ what: 'a silenced check', line: index + 1 }] : []));
}

/** The name at the left end of `a.b.c`, `a(…).b` and `a` followed by a template. */
function rootName(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (node.type === 'Identifier') return text(node, 'name');
  return rootName(child(node, 'object') ?? child(node, 'callee') ?? child(node, 'tag'));
}

function propertyName(node: Node): string | undefined {
  return text(child(node, 'property'), 'name') ?? text(child(node, 'property'), 'value');
}

function isName(node: Node | undefined, name: string): boolean {
  return node?.type === 'Identifier' && node['name'] === name;
}

function walk(value: unknown, parent: Node | undefined, visit: (node: Node, parent: Node | undefined) => void): void {
  if (Array.isArray(value)) {
    for (const one of value) walk(one, parent, visit);
  } else if (isNode(value)) {
    visit(value, parent);
    for (const one of Object.values(value)) walk(one, value, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

function child(node: Node | undefined, key: string): Node | undefined {
  const value = node?.[key];
  return isNode(value) ? value : undefined;
}

function children(node: Node | undefined, key: string): Node[] {
  const value = node?.[key];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

function text(node: Node | undefined, key: string): string | undefined {
  const value = node?.[key];
  return typeof value === 'string' ? value : undefined;
}

function lineFinder(source: string): (offset: number) => number {
  const starts = [0];
  for (let at = source.indexOf('\n'); at !== -1; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
