/** The rules of the repository's shape, as pure functions over source files. The table is `architecture-table.ts`. */
import { posix } from 'node:path';
import {
  CLOCK_READERS,
  CLOCK_RULE_APPLIES_TO,
  DEFAULT_EXPORTS_ALLOWED,
  ENVIRONMENT_READERS,
  EXTERNAL_IMPORTS,
  FILE_LINES_MAX,
  FOLDERS,
  FORBIDDEN_NAMES,
  FUNCTION_LINES_MAX,
  PACKAGES,
  PURE_LAYERS,
  SERVER_IMPORTS,
  TEST_SUITES,
  TYPES_FOR_ALL,
  VOCABULARY,
} from './architecture-table.ts';
import { type ImportFact, readSourceFacts, type SourceFacts, type SourceFile } from './source-facts.ts';

export type Rule = (files: readonly SourceFacts[]) => string[];

/** Every rule by the sentence it holds; the test runs one case for each. */
export const RULES: Readonly<Record<string, Rule>> = {
  'a package imports only the packages below it': packageDirections,
  'a relative import names an existing .ts file of its own package': relativeImports,
  'the layers of the server import downwards': serverLayers,
  'only the vocabulary of the drivers reaches the domain': domainVocabulary,
  'an engine, and whatever opens connections, is imported in its one folder': externalImports,
  'domain and wire are pure': pureLayers,
  'only config.ts and main.ts read the environment': environmentReaders,
  'time and randomness are passed in': clockReaders,
  'no cycle among value imports': valueCycles,
  'folders are those of the table': allowedFolders,
  'no file or folder has a name that says nothing': forbiddenNames,
  'names are kebab-case': kebabCase,
  'a file has at most 400 lines and a function 70': sizeWalls,
  'exports are named': namedExports,
  'no test is skipped or singled out': skippedTests,
  'no type is loosened and no check silenced': escapes,
  'a test file lies where the test run looks': testPlaces,
};

export function checkArchitecture(files: readonly SourceFile[]): string[] {
  const facts = files.map(readSourceFacts);
  return Object.values(RULES).flatMap((rule) => rule(facts));
}

function packageDirections(files: readonly SourceFacts[]): string[] {
  const names = new Map<string, string>(Object.entries(PACKAGES).map(([folder, one]) => [one.name, folder]));
  return files.filter(isProduct).flatMap((file) => {
    const from = packageOf(file.path);
    if (!isPackage(from)) return [`${file.path}: packages/${from} is not in the table of packages`];
    const allowed: readonly string[] = PACKAGES[from].imports;
    return file.imports.flatMap((one) => {
      const target = names.get(packageName(one.specifier));
      if (target === undefined || allowed.includes(target)) return [];
      return [`${at(file, one)}: ${from} may not import ${one.specifier}`];
    });
  });
}

function relativeImports(files: readonly SourceFacts[]): string[] {
  const known = new Set(files.map((file) => file.path));
  return files.filter(isInSrc).flatMap((file) =>
    file.imports.flatMap((one) => {
      if (!one.specifier.startsWith('.')) return [];
      const target = resolve(file, one);
      if (!target.startsWith(`packages/${packageOf(file.path)}/`)) {
        return [`${at(file, one)}: ${one.specifier} leaves the package`];
      }
      if (isProduct(file) && !target.startsWith(`${srcOf(file.path)}/`)) {
        return [`${at(file, one)}: ${one.specifier} leaves src`];
      }
      if (isProduct(file) && isTestPath(target)) return [`${at(file, one)}: ${one.specifier} is for tests only`];
      const isSource = target.endsWith('.ts') || target.endsWith('.tsx');
      if (!isSource && posix.extname(target) !== '' && posix.extname(target) !== '.js') return [];
      return known.has(target) ? [] : [`${at(file, one)}: ${one.specifier} is no file; write the name with .ts`];
    }),
  );
}

function serverLayers(files: readonly SourceFacts[]): string[] {
  return files.filter(isServerProduct).flatMap((file) => {
    const from = layerOf(file.path);
    const allowed = SERVER_IMPORTS[from];
    if (allowed === undefined) return [`${file.path}: ${from} is not in the table of layers`];
    return file.imports.flatMap((one) => {
      const target = targetLayer(file, one);
      if (target === undefined || target === from || allowed.includes('*') || allowed.includes(target)) return [];
      const isSharedType = one.typeOnly && from !== 'domain' && isOneOf(TYPES_FOR_ALL, target);
      const isVocabulary = target === 'drivers' && allowed.includes('vocabulary');
      if (isSharedType || isVocabulary) return [];
      return [`${at(file, one)}: ${from} may not import ${target}`];
    });
  });
}

function domainVocabulary(files: readonly SourceFacts[]): string[] {
  const index = files.find((file) => file.path === 'packages/drivers/src/index.ts');
  const words = new Set(
    (index?.imports ?? [])
      .filter((one) => isOneOf(VOCABULARY, posix.basename(one.specifier)))
      .flatMap((one) => one.exportedAs),
  );
  return files.filter(isServerProduct).flatMap((file) => {
    if (!(SERVER_IMPORTS[layerOf(file.path)] ?? []).includes('vocabulary')) return [];
    return file.imports
      .filter((one) => packageName(one.specifier) === PACKAGES.drivers.name)
      .flatMap((one) => {
        const others = one.names.filter((name) => !words.has(name));
        const isIndex = one.specifier === PACKAGES.drivers.name;
        return isIndex && others.length === 0 ? [] : [`${at(file, one)}: ${others.join(', ')} is not vocabulary`];
      });
  });
}

function externalImports(files: readonly SourceFacts[]): string[] {
  return files.filter(isProduct).flatMap((file) =>
    file.imports.flatMap((one) => {
      const places = EXTERNAL_IMPORTS[packageName(one.specifier)];
      if (places === undefined || places.some((place) => file.path.startsWith(place))) return [];
      return [`${at(file, one)}: ${one.specifier} is imported in ${places.join(', ')} only`];
    }),
  );
}

function pureLayers(files: readonly SourceFacts[]): string[] {
  return files.filter(isServerProduct).flatMap((file) => {
    const allowed = PURE_LAYERS[layerOf(file.path)];
    if (allowed === undefined) return [];
    return file.imports.flatMap((one) => {
      const name = packageName(one.specifier);
      const isOurs = one.specifier.startsWith('.') || Object.values(PACKAGES).some((ours) => ours.name === name);
      return isOurs || allowed.includes(name) ? [] : [`${at(file, one)}: ${one.specifier} in a pure layer`];
    });
  });
}

function environmentReaders(files: readonly SourceFacts[]): string[] {
  return files
    .filter(isProduct)
    .filter((file) => !isOneOf(ENVIRONMENT_READERS, file.path))
    .flatMap((file) => file.environmentReads.map((one) => `${file.path}:${one.line}: reads ${one.what}`));
}

function clockReaders(files: readonly SourceFacts[]): string[] {
  return files
    .filter(isProduct)
    .filter((file) => CLOCK_RULE_APPLIES_TO.some((place) => file.path.startsWith(place)))
    .filter((file) => !isOneOf(CLOCK_READERS, file.path))
    .flatMap((file) => file.ambientReads.map((one) => `${file.path}:${one.line}: calls ${one.what}`));
}

function valueCycles(files: readonly SourceFacts[]): string[] {
  const graph = new Map(files.filter(isProduct).map((file) => [file.path, valueTargets(file)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path);
    if (seenAt !== -1) {
      cycles.push(`a cycle: ${[...trail.slice(seenAt), path].join(' -> ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

function allowedFolders(files: readonly SourceFacts[]): string[] {
  return files.filter(isInSrc).flatMap((file) => {
    const folder = posix.dirname(file.path.slice(srcOf(file.path).length + 1));
    const allowed = FOLDERS[packageOf(file.path)] ?? [];
    const isAllowed =
      folder === '.' ||
      allowed.some((one) => one === folder || (one.endsWith('**') && folder.startsWith(one.slice(0, -2))));
    return isAllowed ? [] : [`${file.path}: the folder ${folder} is not in the table`];
  });
}

function forbiddenNames(files: readonly SourceFacts[]): string[] {
  return files.flatMap((file) =>
    file.path
      .split('/')
      .map((part) => part.replace(/\..*$/, ''))
      .filter((part) => isOneOf(FORBIDDEN_NAMES, part))
      .map((part) => `${file.path}: ${part} says nothing; name the thing`),
  );
}

function kebabCase(files: readonly SourceFacts[]): string[] {
  const part = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/;
  return files
    .filter((file) => !file.path.split('/').every((one) => part.test(one)))
    .map((file) => `${file.path}: write the name in kebab-case`);
}

function sizeWalls(files: readonly SourceFacts[]): string[] {
  return files.filter(hasSizeWalls).flatMap((file) => {
    const tooLong = file.lines > FILE_LINES_MAX ? [`${file.path}: ${file.lines} lines`] : [];
    const functions = file.functions
      .filter((one) => one.lines > FUNCTION_LINES_MAX)
      .map((one) => `${file.path}:${one.line}: ${one.name} has ${one.lines} lines`);
    return [...tooLong, ...functions];
  });
}

function namedExports(files: readonly SourceFacts[]): string[] {
  return files
    .filter((file) => !isOneOf(DEFAULT_EXPORTS_ALLOWED, file.path))
    .flatMap((file) => file.defaultExports.map((one) => `${file.path}:${one.line}: ${one.what}`));
}

function skippedTests(files: readonly SourceFacts[]): string[] {
  return files.flatMap((file) => file.skippedTests.map((one) => `${file.path}:${one.line}: ${one.what}`));
}

function escapes(files: readonly SourceFacts[]): string[] {
  return files.flatMap((file) => file.escapes.map((one) => `${file.path}:${one.line}: ${one.what}`));
}

function testPlaces(files: readonly SourceFacts[]): string[] {
  return files
    .filter((file) => /\.(?:test|spec)\.[a-z]+$/.test(file.path))
    .filter((file) => !/^(?:packages|test)\/.*\.test\.ts$/.test(file.path))
    .map((file) => `${file.path}: the test run does not look here`);
}

/** `http/v1/messages.ts` belongs to the layer `http/v1`, `http/route.ts` to `http`, `server.ts` to itself. */
function layerOf(path: string): string {
  const [first = '', second] = path.slice('packages/server/src/'.length).split('/');
  const dialect = `${first}/${second}`;
  return SERVER_IMPORTS[dialect] === undefined ? first : dialect;
}

function targetLayer(file: SourceFacts, one: ImportFact): string | undefined {
  if (packageName(one.specifier) === PACKAGES.drivers.name) return 'drivers';
  if (!one.specifier.startsWith('.')) return undefined;
  const target = resolve(file, one);
  return target.startsWith('packages/server/src/') ? layerOf(target) : undefined;
}

function valueTargets(file: SourceFacts): string[] {
  const names = new Map<string, string>(Object.entries(PACKAGES).map(([folder, one]) => [one.name, folder]));
  return file.imports
    .filter((one) => !one.typeOnly)
    .map((one) => {
      if (one.specifier.startsWith('.')) return resolve(file, one);
      return `packages/${names.get(one.specifier) ?? one.specifier}/src/index.ts`;
    });
}

function resolve(file: SourceFacts, one: ImportFact): string {
  return posix.join(posix.dirname(file.path), one.specifier);
}

/** `@scope/name/sub` is the package `@scope/name`; a built-in keeps its whole name. */
function packageName(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function packageOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function srcOf(path: string): string {
  return `packages/${packageOf(path)}/src`;
}

function isPackage(name: string): name is keyof typeof PACKAGES {
  return Object.hasOwn(PACKAGES, name);
}

function isInSrc(file: SourceFacts): boolean {
  return file.path.startsWith('packages/') && file.path.startsWith(`${srcOf(file.path)}/`);
}

function isTestPath(path: string): boolean {
  return /\.test(?:-support)?\.ts$/.test(path) || TEST_SUITES.some((suite) => path.startsWith(suite));
}

function isProduct(file: SourceFacts): boolean {
  return isInSrc(file) && !isTestPath(file.path);
}

function isServerProduct(file: SourceFacts): boolean {
  return isProduct(file) && file.path.startsWith('packages/server/src/');
}

function hasSizeWalls(file: SourceFacts): boolean {
  const isTestFolder = file.path.startsWith('test/') || /^packages\/[^/]+\/test\//.test(file.path);
  return !isTestPath(file.path) && !isTestFolder && !/\/migrations\/|\.generated\./.test(file.path);
}

function isOneOf(list: readonly string[], value: string): boolean {
  return list.includes(value);
}

function at(file: SourceFacts, one: ImportFact): string {
  return `${file.path}:${one.line}`;
}
