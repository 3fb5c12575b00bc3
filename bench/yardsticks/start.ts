/** Starts the yardsticks. */
import { join } from 'node:path';
import { type Program, startProgram } from '../programs.ts';
import { KEY } from '../trunkline.ts';

/** Plain JavaScript, so that not even the types have to be stripped. Answers every request as a send is answered. */
export const RAW_HTTP = `
const { createServer } = require('node:http');
const answer = '{"id":"obx_0","status":"pending","request_id":"req_0"}';
const head = { 'content-type': 'application/json', 'content-length': answer.length };
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(201, head).end(answer));
});
server.listen(0, '127.0.0.1', () => console.log('listens on http://127.0.0.1:' + server.address().port));
`;

export function startRawHttp(): Promise<Program> {
  return startProgram(['-e', RAW_HTTP]);
}

export function startBareFastify(): Promise<Program> {
  return startProgram([join(import.meta.dirname, 'bare-fastify.ts')], { BENCH_KEY: KEY });
}

/** Keeps its database in the folder. */
export function startCommitPerRequest(folder: string): Promise<Program> {
  return startProgram([join(import.meta.dirname, 'commit-per-request.ts')], { BENCH_KEY: KEY, BENCH_FOLDER: folder });
}
