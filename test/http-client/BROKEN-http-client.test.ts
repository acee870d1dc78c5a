/** What the HTTP client does not hold to yet; each test says what is expected, and fails. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { createHttpClient, type HttpRequest } from '../../functions/http-client.ts';
import { outcomeOfError } from '../../functions/relay/outcome.ts';
import { directReply } from '../../functions/source/direct.ts';
import { hangDoor } from '../source/door.ts';
import { failureOf, post } from './call.ts';
import { reply, startWire } from './wire.ts';

describe('A call that the invocation’s deadline ends', () => {
  // webhook.md: 504 for "no answer within timeoutSeconds or the time left". The signal "ends the call early, as a timeout
  // would", yet the error is CONNECTION_FAILED, and the caller gets 502.
  async function endedByDeadline(): Promise<RelayError> {
    const abort = new AbortController();
    const wire = await startWire(() => abort.abort(new RelayError('DEADLINE', 'the time of the invocation is over')));
    return failureOf(createHttpClient()(post(wire.url, { signal: abort.signal })));
  }

  test('has run out of time: it is no broken connection', async () => {
    expect(['DEADLINE', 'TIMED_OUT']).toContain((await endedByDeadline()).code);
  });

  test('is a gateway timeout for a waiting caller', async () => {
    expect(directReply(outcomeOfError(await endedByDeadline()), hangDoor().door.webhook).status).toBe(504);
  });
});

describe('A call that waits for a socket, because all are busy', () => {
  // A destroyed request tells it when it gets its socket, not before: until then the call hangs.
  async function waiting(fields: Partial<HttpRequest>): Promise<{ error: RelayError; ms: number }> {
    const wire = await startWire(() => undefined);
    const send = createHttpClient({ maxSockets: 1 });
    const busy = failureOf(send(post(wire.url, { timeoutMs: 1_500 })));
    await wire.waitForOpen(1);
    const startedAt = performance.now();
    const error = await failureOf(send(post(wire.url, fields)));
    const ms = performance.now() - startedAt;
    await busy;
    return { error, ms };
  }

  test('ends at its time, and nothing was sent', async () => {
    const { error, ms } = await waiting({ timeoutMs: 50 });
    expect(error).toMatchObject({ code: 'TIMED_OUT', executed: 'no' });
    expect(ms).toBeLessThan(1_000);
  });

  test('ends with the invocation, and nothing was sent', async () => {
    const { error, ms } = await waiting({ signal: AbortSignal.timeout(50) });
    expect(error.executed).toBe('no');
    expect(ms).toBeLessThan(1_000);
  });
});

test('The time of a call holds for both sends together', async () => {
  // HttpRequest.timeoutMs: "From the start of the call until the answer has arrived whole".
  const wire = await startWire(({ socket, connection, index }) => {
    if (connection > 1) return;
    if (index === 1) socket.write(reply());
    else setTimeout(() => socket.resetAndDestroy(), 800);
  });
  const send = createHttpClient();
  await send(post(wire.url));
  const startedAt = performance.now();
  const error = await failureOf(send(post(wire.url, { timeoutMs: 1_000 })));
  expect(error.code).toBe('TIMED_OUT');
  expect(performance.now() - startedAt).toBeLessThan(1_500);
});
