/** Both sides of a cut-over on one host, with real sockets: a side that hangs leaves the other one its sockets. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startWithin } from '../../functions/deadline.ts';
import { createEnvironment } from '../../functions/environment.ts';
import { deliverBatch } from '../../functions/queue/batch.ts';
import { createQueueRoutes } from '../../functions/queue/routes.ts';
import { readSettings } from '../../functions/settings/settings.ts';
import { quietTelemetry } from '../doubles/telemetry.ts';
import { queuedMessage, SENT_AT, STANDARD_ARN } from './queued.ts';

const AT_ONCE = 10;

/** Answers nothing at `/old` until so many calls of `/new` have come. */
async function startHost(news: number): Promise<string> {
  const held: ServerResponse[] = [];
  let came = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/token') {
      response.setHeader('Content-Type', 'application/json');
      response.end('{"access_token":"synthetic","expires_in":3600,"token_type":"bearer"}');
    } else if (request.url === '/old' && came < news) held.push(response);
    else {
      response.end();
      if (request.url === '/new') came += 1;
      if (came === news) for (const old of held.splice(0)) old.end();
    }
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a side that hangs does not hold up the other side of the same host', async () => {
  const host = await startHost(5);
  const secret = JSON.stringify({ clientId: 'a', clientSecret: 'synthetic', tokenUrl: `${host}/token` });
  const cutover = { url: `${host}/new`, since: new Date(SENT_AT).toISOString() };
  const orders = { secret: 's', url: `${host}/old`, queue: STANDARD_ARN, concurrency: AT_ONCE, cutover };
  const telemetry = quietTelemetry();
  const environment = createEnvironment({
    settings: readSettings({ DESTINATIONS: JSON.stringify({ orders }) }),
    outside: { telemetry, readSecret: async () => ({ text: secret, versionId: 'v1' }) },
  });
  const route = createQueueRoutes(environment)(STANDARD_ARN);
  if (route === undefined) throw new Error('no route');
  const sent = (count: number, sentAt: number) =>
    Array.from({ length: count }, (_, index) => queuedMessage({ recordId: `${sentAt} ${index}`, sentAt }));

  const deadline = startWithin(4_000);
  const { now, random } = { now: Date.now, random: () => 0.5 };
  const messages = [...sent(AT_ONCE, SENT_AT - 1), ...sent(5, SENT_AT)];
  const kept = await deliverBatch(messages, route, { deadline, reserve: deadline, telemetry, now, random });
  deadline.end();
  expect(kept).toEqual([]);
});
