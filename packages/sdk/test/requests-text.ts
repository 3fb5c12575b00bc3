/** What operations take as interfaces: what is in the path, the query and the body is one to the client. */
import { type Document, dialectOf, operationsOf, pascalCase } from './openapi-document.ts';
import { interfaceText } from './type-of-schema.ts';

/** What these take is more, or less, than their request: `params.ts` says it. */
const PARAMS_BY_HAND: readonly string[] = ['streamEvents', 'uploadFile'];

export function requestsText(document: Document): string {
  const dialect = dialectOf(document, 'readonly');
  return operationsOf(document)
    .filter(({ operationId }) => !PARAMS_BY_HAND.includes(operationId))
    .flatMap((operation) => {
      const inputs = (operation.parameters ?? []).filter((one) => one.in !== 'header');
      const body = operation.requestBody?.content['application/json']?.schema;
      const properties = {
        ...Object.fromEntries(inputs.map(({ name, description, schema }) => [name, { ...schema, description }])),
        ...body?.properties,
      };
      const required = [...inputs.filter((one) => one.required).map((one) => one.name), ...(body?.required ?? [])];
      // Whatever takes an id alone takes `IdParams`.
      if (Object.keys(properties).every((key) => key === 'id')) return [];
      const name = `${pascalCase(operation.operationId)}Params`;
      const sentence = `What \`${operation.operationId}\` takes.`;
      return [interfaceText({ name, sentence, properties, required }, dialect)];
    })
    .join('\n');
}
