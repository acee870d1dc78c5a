/**
 * A Lambda as one finds it: axios, simple-oauth2, the SDK as it comes, zod, middy, Powertools Logger, Metrics, Tracer and
 * Batch. Secret and token are kept in the module; Powertools' batch processor runs the records at once.
 */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import axios from 'axios';
import { ClientCredentials } from 'simple-oauth2';
import { z } from 'zod';

const settings = z.object({ SECRET_ID: z.string(), ENDPOINT_URL: z.url() }).parse(process.env);
const ServiceKey = z.object({
  oauth: z.object({ clientid: z.string(), clientsecret: z.string(), tokenurl: z.url() }),
});

const logger = new Logger();
const metrics = new Metrics();
const tracer = new Tracer();
const processor = new BatchProcessor(EventType.SQS);
const secretsManager = tracer.captureAWSv3Client(new SecretsManagerClient());
let oauth;
let token;

async function accessToken() {
  if (token !== undefined && !token.expired(60)) return token.token.access_token;
  if (oauth === undefined) {
    const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: settings.SECRET_ID }));
    const key = ServiceKey.parse(JSON.parse(SecretString)).oauth;
    const { origin, pathname } = new URL(key.tokenurl);
    oauth = new ClientCredentials({
      client: { id: key.clientid, secret: key.clientsecret },
      auth: { tokenHost: origin, tokenPath: pathname },
      options: { authorizationMethod: 'body' },
    });
  }
  token = await oauth.getToken({ token_format: 'jwt' });
  return token.token.access_token;
}

async function forward(record) {
  const { status } = await axios.post(settings.ENDPOINT_URL, record.body, {
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${await accessToken()}`,
      SAP_ApplicationID: record.messageId,
    },
    timeout: 60_000,
    // It would parse and write the JSON anew.
    transformRequest: (body) => body,
  });
  logger.info('message forwarded', { messageId: record.messageId, status });
  metrics.addMetric('Forwarded', MetricUnit.Count, 1);
}

export const handler = middy()
  .use(captureLambdaHandler(tracer))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler((event, context) =>
    processPartialResponse(event, forward, processor, { context, throwOnFullBatchFailure: false }),
  );
