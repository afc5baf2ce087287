// However much a service sends, a journey keeps a little of it: seen from outside, in a process that a body of ten megabytes would not fit into.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { type HostileServer, pour, startHostile } from '../fixtures/hostile-server.ts';

const servers: HostileServer[] = [];
afterAll(async () => {
  for (const server of servers) await server.close();
});

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n';
const megabyte = '1,'.repeat(2 ** 19);

async function sending(start: string, endless: string | null): Promise<string> {
  const server = await startHostile((socket) => {
    socket.write(start);
    if (endless === null) socket.end();
    else pour(socket, endless);
  });
  servers.push(server);
  return server.host;
}

test('a body without an end, headers without an end and ten megabytes of JSON make a small process grow by a few megabytes', async () => {
  const calm = await sending(`${head}\r\n["${'x'.repeat(1_000_000)}"]`, null);
  const hosts = [await sending(`${head}\r\n[`, megabyte), await sending(head, 'a: b\r\n'.repeat(10_000)), await sending(`${head}\r\n[${megabyte.repeat(10)}1]`, null)];
  const script = fileURLToPath(new URL('../fixtures/journeys-in-a-small-heap.ts', import.meta.url));
  // Objects and text beyond 48 MB end the process; buffers lie outside of that and are seen in its size.
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=48', '--import', 'tsx', script, calm, ...hosts], { timeout: 60_000 });
  const { reasons, grownBytes } = JSON.parse(stdout) as { readonly reasons: readonly string[]; readonly grownBytes: number };
  expect(reasons).toEqual([expect.stringContaining('more than 1 MiB'), expect.stringMatching(/[Hh]eader/), expect.stringContaining('more than 1 MiB')]);
  expect(grownBytes / 2 ** 20, 'MiB').toBeLessThan(64);
}, 60_000);
