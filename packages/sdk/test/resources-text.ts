/** The resources as interfaces, and the parts of them that have a name of their own. */
import {
  type Document,
  dialectOf,
  JOINED,
  NAMED,
  type Operation,
  operationsOf,
  resourceNames,
} from './openapi-document.ts';
import { docText, interfaceText, typeOf } from './type-of-schema.ts';

const REQUEST_ID = `${docText('Of the request, for whoever asks for help; only where this is an answer of its own.')}requestId?: string | undefined;\n`;

export function resourcesText(document: Document): string {
  const { schemas } = document.components;
  const dialect = dialectOf(document, 'mutable');
  const answers = new Set(operationsOf(document).flatMap(answersAlone).map(dialect.nameOf));
  const named = Object.entries(NAMED).map(([name, [component, key]]) => {
    const schema = schemas[component]?.properties?.[key] ?? {};
    const [first = ''] = (schema.description ?? '').split(/(?<=\.) /);
    const sentence = `Of \`${component}.${key}\`: ${withSmallInitial(first)}`;
    if (schema.properties === undefined) {
      // Null is said where the type is used.
      const values = { ...schema, enum: (schema.enum ?? []).filter((value) => value !== null) };
      return `${docText(sentence)}export type ${name} = ${typeOf(values, { ...dialect, named: new Map() })};\n`;
    }
    return interfaceText({ name, sentence, properties: schema.properties, required: schema.required ?? [] }, dialect);
  });
  return [
    ...named,
    ...resourceNames(document).map((name) => {
      const { description = '', properties = {}, required = [] } = schemas[name] ?? {};
      const joined = JOINED[name];
      const other = joined === undefined ? undefined : schemas[joined.other];
      const inBoth = required.filter((key) => other === undefined || other.required?.includes(key));
      const sentence = joined === undefined ? description : `${description} ${joined.sentence}`;
      const behind = answers.has(name) ? REQUEST_ID : '';
      const all = { ...other?.properties, ...properties };
      return interfaceText({ name, sentence, properties: all, required: inBoth, behind }, dialect);
    }),
  ].join('\n');
}

/** The resource that is an answer together with the request's id. */
function answersAlone(operation: Operation): string[] {
  return Object.values(operation.responses).flatMap((response) =>
    (response.content?.['application/json']?.schema.allOf ?? []).flatMap(({ $ref = '' }) => $ref.split('/').slice(-1)),
  );
}

function withSmallInitial(sentence: string): string {
  return `${sentence.slice(0, 1).toLowerCase()}${sentence.slice(1)}`;
}
