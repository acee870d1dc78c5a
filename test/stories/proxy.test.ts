/** A proxy that the environment names is not followed: the relay goes straight to SAP and to AWS. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startWire } from '../http/wire.ts';
import { setStage } from './stage.ts';

async function startProxy() {
  const proxy = await startWire(({ socket }) => socket.destroy());
  const url = proxy.url.origin;
  const variables = { http_proxy: url, https_proxy: url, HTTP_PROXY: url, HTTPS_PROXY: url, NODE_USE_ENV_PROXY: '1' };
  return { proxy, variables };
}

test.each([false, true])('https_proxy and NODE_USE_ENV_PROXY change nothing (TLS: %s)', async (tls) => {
  const { proxy, variables } = await startProxy();
  const stage = await setStage({ tls, plans: [{ name: 'orders' }], deploy: { variables } });
  const ids = stage.sendMany(10);

  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(proxy.made()).toBe(0);
});

test('Node itself would use that proxy, so that the test above can fail', async () => {
  const { proxy, variables } = await startProxy();
  const script = "http.get('http://127.0.0.1:9/').on('error', () => undefined)";
  await promisify(execFile)(process.execPath, ['-e', script], { env: variables });
  expect(proxy.made()).toBe(1);
});
