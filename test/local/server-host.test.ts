/** Whom a server of the landscape answers: programs on this machine, and no site that a browser on it shows. */
import { request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { startServer } from '../../infra/local/server/server.ts';

test.each([
  ['127.0.0.1', 200],
  ['localhost:4191', 200],
  ['[::1]:4191', 200],
  ['evil.example', 403],
  ['127.0.0.1.evil.example:4191', 403],
  ['localhost.evil.example', 403],
])('a name that a site has pointed at 127.0.0.1 gets no answer: Host %s is answered %i', async (host, status) => {
  let handled = 0;
  const server = await startServer(() => {
    handled += 1;
    return { status: 200, body: 'a payload' };
  });
  onTestFinished(() => server.stop());
  const answered = await new Promise<number | undefined>((resolve, reject) => {
    request(`${server.url}/queue`, { headers: { host } }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    })
      .once('error', reject)
      .end();
  });
  expect({ answered, handled }).toEqual({ answered: status, handled: status === 200 ? 1 : 0 });
});
