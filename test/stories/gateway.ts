/**
 * What stands in front of the webhook function: each kind of gateway wakes it with an event of another shape, and reads
 * its reply in another way.
 */
import { onTestFinished } from 'vitest';
import { type HttpApi, type HttpApiOptions, startHttpApi } from '../../infra/local/aws/http-api/http-api.ts';
import type { Deployed } from '../../infra/local/landscape.ts';

/** The gateways that a webhook may lie behind. */
export const GATEWAYS = {
  'HTTP API, payload 2.0': { payloadFormat: '2.0' },
  'HTTP API, payload 1.0': { payloadFormat: '1.0', gateway: 'http-api' },
  'REST API': { payloadFormat: '1.0', gateway: 'rest-api', binaryMediaTypes: ['*/*'] },
} as const satisfies Record<string, Pick<HttpApiOptions, 'payloadFormat' | 'gateway' | 'binaryMediaTypes'>>;

export type GatewayName = keyof typeof GATEWAYS;

export const GATEWAY_NAMES = Object.keys(GATEWAYS) as readonly GatewayName[];

/** Puts it in front of the webhook function; ended when the test is finished. */
export async function startGateway(gateway: GatewayName, { webhookFunction }: Deployed): Promise<HttpApi> {
  const api = await startHttpApi({
    invoke: webhookFunction.invoke,
    routes: [{ methods: 'ANY', path: '/webhooks/{destination}' }],
    ...GATEWAYS[gateway],
  });
  onTestFinished(() => api.server.stop());
  return api;
}
