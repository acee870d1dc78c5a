/** The servers in a process of their own, and the environment variables by which a subject reaches them. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { writeTrustFile } from '../../infra/local/server/trust-file.ts';
import type { Addresses } from './servers/run.ts';
import type { Counts } from './servers/services.ts';

export interface World {
  /** All of it: nothing of the host's own environment gets into a trial. */
  readonly environment: Readonly<Record<string, string>>;
  readonly endpoint: string;
  /** The counts since the last time. */
  takeCounts(): Promise<Counts>;
  /** Whether the servers wait without sleeping. Default false. */
  stayAwake(on: boolean): Promise<void>;
  stop(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const servers = fork(join(import.meta.dirname, 'servers/run.ts'), { stdio: 'inherit' });
  const addresses = await new Promise<Addresses>((resolve, reject) => {
    servers.once('message', (message) => resolve(message as Addresses));
    servers.once('exit', (code) => reject(new Error(`the servers ended with ${code}`)));
  });
  const trust = await writeTrustFile(addresses);
  const control = async (path: string): Promise<unknown> =>
    (await fetch(addresses.control + path, { method: 'POST' })).json();
  const endpoint = `${addresses.endpoint}/http/orders`;
  const token = String(await control('/issue'));
  return {
    endpoint,
    environment: {
      ...trust.variables,
      TZ: ':UTC',
      LANG: 'en_US.UTF-8',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      AWS_SESSION_TOKEN: 'x'.repeat(256),
      AWS_LAMBDA_FUNCTION_NAME: 'bench',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: addresses.secretsManager,
      POWERTOOLS_SERVICE_NAME: 'bench',
      POWERTOOLS_METRICS_NAMESPACE: 'Bench',
      // X-Ray's daemon is not here; the Tracer is loaded and does nothing.
      POWERTOOLS_TRACE_ENABLED: 'false',
      // For the product, for the peers, for the limits.
      DESTINATIONS: JSON.stringify({ orders: { secret: 'cpi/orders', url: endpoint } }),
      SECRET_ID: 'cpi/orders',
      ENDPOINT_URL: endpoint,
      BENCH_TOKEN: token,
      BENCH_CONTROL: addresses.control,
    },
    takeCounts: async () => (await control('/counts')) as Counts,
    async stayAwake(on) {
      await control(`/awake?on=${on}`);
    },
    async stop() {
      const ended = new Promise((resolve) => servers.once('exit', resolve));
      servers.disconnect();
      await ended;
      await trust.remove();
    },
  };
}
