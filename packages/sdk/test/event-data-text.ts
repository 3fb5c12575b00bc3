/** The data of the events as interfaces, each on top of the resource that it tells of. */
import { type Document, dialectOf, eventBodies, pascalCase, resourceNames } from './openapi-document.ts';
import { docText, interfaceText, type Schema, sentenceOf } from './type-of-schema.ts';

/** Events whose data has the name of what they share; the others have their own. */
const DATA_NAMES: Readonly<Record<string, string>> = {
  'message.received': 'MessageEventData',
  'message.sent': 'MessageEventData',
  'reaction.added': 'ReactionEventData',
  'reaction.removed': 'ReactionEventData',
  'typing.started': 'TypingEventData',
  'typing.stopped': 'TypingEventData',
};
/** An event tells of the whole item, in an answer to nobody. */
const WHOLE: Readonly<Record<string, string>> = { OutboxItem: "Omit<StoredOutboxItem, 'requestId'>" };

export function eventDataText(document: Document): string {
  const { schemas } = document.components;
  const dialect = dialectOf(document, 'mutable');
  const bodies = eventBodies(document);
  const bases = new Map(
    resourceNames(document).flatMap((name) => {
      const schema = schemas[name];
      return schema === undefined ? [] : [[WHOLE[name] ?? dialect.nameOf(name), schema] as const];
    }),
  );
  const texts = new Map<string, string>();
  for (const { event, data } of bodies) {
    const name = dataNameOf(event);
    const events = bodies.filter((one) => dataNameOf(one.event) === name).map((one) => `\`${one.event}\``);
    const [base, own] = withoutBase(
      data,
      [...bases].filter(([base]) => base !== name),
    );
    const sentence = `The data of ${events.join(' and ')}.`;
    const text = interfaceText({ name, sentence, base, properties: own, required: data.required ?? [] }, dialect);
    if ((texts.get(name) ?? text) !== text) throw new Error(`The data of ${event} is not that of ${events[0]}.`);
    texts.set(name, text);
    if (DATA_NAMES[event] !== undefined) bases.set(name, data);
  }
  const map = bodies.map(({ event, data }) => `${docText(sentenceOf(data))}'${event}': ${dataNameOf(event)};\n`);
  return [
    ...texts.values(),
    `/** The data of each event by its name. */\nexport interface EventDataMap {\n${map.join('')}}\n`,
  ].join('\n');
}

/** The largest known type that the data has all properties of, and the properties beyond it. */
function withoutBase(
  data: Schema,
  bases: readonly (readonly [string, Schema])[],
): [string | undefined, NonNullable<Schema['properties']>] {
  const properties = data.properties ?? {};
  const has = (base: Schema, key: string) =>
    JSON.stringify(properties[key]) === JSON.stringify(base.properties?.[key]) &&
    data.required?.includes(key) === base.required?.includes(key);
  const [base] = bases
    .filter(([, schema]) => Object.keys(schema.properties ?? {}).every((key) => has(schema, key)))
    .sort(
      ([, one], [, other]) => Object.keys(other.properties ?? {}).length - Object.keys(one.properties ?? {}).length,
    );
  if (base === undefined) return [undefined, properties];
  const [name, { properties: inBase = {} }] = base;
  return [name, Object.fromEntries(Object.entries(properties).filter(([key]) => inBase[key] === undefined))];
}

function dataNameOf(event: string): string {
  return DATA_NAMES[event] ?? `${pascalCase(event.replaceAll('.', '_'))}EventData`;
}
