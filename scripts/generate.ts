/**
 * `npm run generate`: writes the files that are made from the code and checked in. `npm test` compares them: a schema
 * or a plan that changed shows in the diff of the change that did it.
 */
import { writeFileSync } from 'node:fs';
import { commandPage, PAGE_PATH } from '../packages/cli/test/command-page.ts';
import { generateTypes } from '../packages/sdk/test/generated-types.ts';
import { generateFiles } from '../packages/server/test/generated-files.ts';
import { OPENAPI_FILE, openApiTexts, SENDBLUE_FILE } from '../packages/server/test/openapi-file.ts';
import { startPostgres } from '../test/postgres.ts';

writeFileSync(PAGE_PATH, await commandPage());
console.log(PAGE_PATH);
const openApi = await openApiTexts();
for (const [path, text] of [
  [OPENAPI_FILE, openApi.v1],
  [SENDBLUE_FILE, openApi.sendblue],
] as const) {
  writeFileSync(path, text);
  console.log(path);
}
for (const { path, text } of generateTypes(openApi.v1)) {
  writeFileSync(path, text);
  console.log(path);
}
const postgres = await startPostgres();
try {
  for (const { path, text } of await generateFiles(postgres.url)) {
    writeFileSync(path, text);
    console.log(path);
  }
} finally {
  await postgres.stop();
}
