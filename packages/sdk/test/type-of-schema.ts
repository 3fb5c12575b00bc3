/** JSON schemas of the OpenAPI document as TypeScript: the words that the document uses, and a refusal of any other. */
import { toCamelCaseKeys } from '../src/key-case.ts';

const DOC_COLUMNS_MAX = 112;
/** The bound of handles and ids, which says nothing to whoever has one. */
const NAME_CHARACTERS_MAX = 512;
const WORDS = new Set(
  '$ref type enum const anyOf items properties required description pattern format minimum maximum maxLength maxItems default'.split(
    ' ',
  ),
);

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | null)[];
  readonly const?: string | boolean;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly pattern?: string;
  readonly maxLength?: number;
}

/** How one file writes what it refers to. */
export interface Dialect {
  /** The name of the type behind a `$ref`. */
  readonly nameOf: (component: string) => string;
  /** Types that have a name of their own, by their `signatureOf`. */
  readonly named: ReadonlyMap<string, string>;
  /** Types that are not those of the document, by `Interface.property`. */
  readonly replaced: Readonly<Record<string, string>>;
  /** What is taken is taken from `as const` lists too; what is given is the caller's to change. */
  readonly arrays: 'readonly' | 'mutable';
}

interface Interface {
  readonly name: string;
  readonly sentence: string;
  readonly base?: string | undefined;
  readonly properties: Readonly<Record<string, Schema>>;
  readonly required: readonly string[];
  /** Lines that go behind the properties as they are. */
  readonly behind?: string | undefined;
}

export function interfaceText(shape: Interface, dialect: Dialect): string {
  const members = Object.entries(shape.properties).map(([key, schema]) => {
    const type = dialect.replaced[`${shape.name}.${key}`] ?? typeOf(schema, dialect);
    return memberText(key, schema, shape.required.includes(key), type);
  });
  const base = shape.base === undefined ? '' : ` extends ${shape.base}`;
  return `${docText(shape.sentence)}export interface ${shape.name}${base} {\n${members.join('')}${shape.behind ?? ''}}\n`;
}

export function typeOf(schema: Schema, dialect: Dialect): string {
  const unknown = Object.keys(schema).find((word) => !WORDS.has(word));
  if (unknown !== undefined)
    throw new Error(`No type is known for a schema with ${unknown}: ${JSON.stringify(schema)}`);
  if (schema.$ref !== undefined) return dialect.nameOf(schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1));
  if (schema.const !== undefined) return literalText(schema.const);
  if (schema.enum !== undefined) return enumText(schema.enum, dialect);
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => typeOf(one, dialect)).join(' | ');
  const types = [schema.type ?? []].flat().map((type) => namedTypeText(type, schema, dialect));
  if (types.length === 0) throw new Error(`No type is known for a schema without one: ${JSON.stringify(schema)}`);
  return types.join(' | ');
}

/** Two enumerations or two objects are the same type where this is the same. Null is beside an enumeration, not in it. */
export function signatureOf(schema: Schema): string {
  if (schema.enum !== undefined) return JSON.stringify(schema.enum.filter((value) => value !== null));
  return JSON.stringify([schema.properties, schema.required]);
}

/** A comment of one line, or of several where one is too long. */
export function docText(sentence: string): string {
  const lines = [''];
  for (const word of sentence.replaceAll('*/', '*').split(' ')) {
    const line = `${lines.at(-1)} ${word}`;
    if (line.length > DOC_COLUMNS_MAX) lines.push(` ${word}`);
    else lines.splice(-1, 1, line);
  }
  return lines.length === 1 ? `/**${lines[0]} */\n` : `/**\n${lines.map((line) => ` *${line}\n`).join('')} */\n`;
}

export function camelCase(key: string): string {
  const [changed = key] = Object.keys(Object(toCamelCaseKeys({ [key]: null })));
  return changed;
}

function namedTypeText(type: string, schema: Schema, dialect: Dialect): string {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array': {
      const item = typeOf(schema.items ?? {}, dialect);
      const array = item.includes(' | ') ? `(${item})[]` : `${item}[]`;
      return dialect.arrays === 'readonly' ? `readonly ${array}` : array;
    }
    case 'object':
      return dialect.named.get(signatureOf(schema)) ?? objectText(schema, dialect);
    default:
      throw new Error(`No type is known for the schema type ${type}.`);
  }
}

function objectText({ properties = {}, required = [] }: Schema, dialect: Dialect): string {
  const members = Object.entries(properties).map(([key, schema]) =>
    memberText(key, schema, required.includes(key), typeOf(schema, dialect)),
  );
  return `{\n${members.join('')}}`;
}

function memberText(key: string, schema: Schema, isRequired: boolean, type: string): string {
  const sentence = sentenceOf(schema);
  const doc = sentence === '' ? '' : docText(sentence);
  return `${doc}${camelCase(key)}${isRequired ? `: ${type}` : `?: ${type} | undefined`};\n`;
}

/** With how an id begins and how long a text may be, which the document says beside the sentence. */
export function sentenceOf({ description = '', pattern, maxLength }: Schema): string {
  const prefix = /^\^(\w+_)$/.exec(pattern ?? '')?.[1];
  const isSaid = prefix === undefined || description.includes(`\`${prefix}\``);
  const sentence = isSaid ? description : description.replace(/(?=\.(?: |$))/, ` (\`${prefix}…\`)`);
  const keys = sentence.replaceAll(/`[a-z]+(?:_[a-z]+)+`/g, camelCase);
  const isBounded = maxLength !== undefined && maxLength !== NAME_CHARACTERS_MAX;
  return isBounded ? `${keys} At most ${maxLength.toLocaleString('en')} characters.` : keys;
}

function enumText(values: readonly (string | null)[], dialect: Dialect): string {
  const name = dialect.named.get(signatureOf({ enum: values }));
  if (name === undefined) return values.map(literalText).join(' | ');
  return values.includes(null) ? `${name} | null` : name;
}

function literalText(value: string | boolean | null): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
