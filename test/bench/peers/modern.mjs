/**
 * A Lambda as one writes it anew today: openid-client, global fetch, the SDK as it comes, zod, middy, Powertools Logger and
 * Metrics. Secret and token are kept in the module; a batch goes out at once, as `Promise.allSettled` has it.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import * as client from 'openid-client';
import { z } from 'zod';

const settings = z.object({ SECRET_ID: z.string(), ENDPOINT_URL: z.url() }).parse(process.env);
const ServiceKey = z.object({
  oauth: z.object({ clientid: z.string(), clientsecret: z.string(), tokenurl: z.url() }),
});

const logger = new Logger();
const metrics = new Metrics();
const secretsManager = new SecretsManagerClient();
let configuration;
let token;

async function accessToken() {
  if (token !== undefined && Date.now() < token.expiresAt) return token.value;
  if (configuration === undefined) {
    const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: settings.SECRET_ID }));
    const { oauth } = ServiceKey.parse(JSON.parse(SecretString));
    configuration = new client.Configuration(
      { issuer: new URL(oauth.tokenurl).origin, token_endpoint: oauth.tokenurl },
      oauth.clientid,
      oauth.clientsecret,
    );
  }
  const response = await client.clientCredentialsGrant(configuration, { token_format: 'jwt' });
  token = { value: response.access_token, expiresAt: Date.now() + (response.expiresIn() ?? 3600) * 1000 - 60_000 };
  return token.value;
}

async function forward(record) {
  const response = await fetch(settings.ENDPOINT_URL, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${await accessToken()}`,
      SAP_ApplicationID: record.messageId,
    },
    body: record.body,
    signal: AbortSignal.timeout(60_000),
  });
  await response.text();
  if (!response.ok) throw new Error(`answered ${response.status}`);
  logger.info('message forwarded', { messageId: record.messageId, status: response.status });
  metrics.addMetric('Forwarded', MetricUnit.Count, 1);
}

export const handler = middy()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(async ({ Records }) => {
    const results = await Promise.allSettled(Records.map(forward));
    const failed = Records.filter((_, index) => results[index].status === 'rejected');
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  });
