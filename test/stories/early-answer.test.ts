import { expect, test } from 'vitest';
import { setPayloadStage } from './payload-store.ts';

/** More than the kernel's buffers take: what fits into them looks like a request that was read. */
const SIXTEEN_MB = 16_777_216;

test('ten streamed payloads refused before they are read are all delivered with the next token', async () => {
  const stage = await setPayloadStage({ settings: { timeoutSeconds: 30 } });
  stage.sendPointer('small', await stage.put('small'));
  await stage.poll();
  const payload = await stage.put('big', Buffer.alloc(SIXTEEN_MB, 'payload '));
  const { server, requests } = stage.runtimeNode;
  stage.authorizationServer.expireAllTokens();
  // As a server does that leaves a body where it is, and keeps the connection for as long as it likes.
  let refused: string | undefined;
  server.fail({
    fault: { early: { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } }, body: 'unread' },
    times: 10,
    when: ({ headers }) => {
      refused ??= headers.authorization;
      return headers.authorization === refused;
    },
  });
  const ids = Array.from({ length: 10 }, () => stage.sendPointer('big', payload));

  const startedAt = performance.now();
  const [invocation] = await stage.poll();
  if (process.env.SHOW_TIMES !== undefined) console.log(`${Math.round(performance.now() - startedAt)} ms`);

  expect(invocation?.kept).toEqual([]);
  expect(stage.arrivals().slice(1).sort()).toEqual(ids.sort());
  // Whoever asks late for a token has the new one at once.
  expect(stage.attempts.map(({ outcome }) => outcome)).toEqual(Array(11).fill('delivered'));
  expect(stage.attempts.some(({ calls }) => calls === 2)).toBe(true);
  expect(requests.map(({ status }) => status)).toEqual(Array(11).fill(200));
});
