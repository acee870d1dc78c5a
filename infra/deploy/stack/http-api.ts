/**
 * The HTTP API in front of the webhook function: its routes, how many requests it lets through, what it writes down of
 * them, and the domain of one's own. The framework makes API, stage and routes out of the function's events; the rest is
 * added here, API and stage by extension of what the framework makes.
 */
import type { Configuration, ServiceInput } from './destination.ts';
import { tagMap } from './tags.ts';
import { attribute, join, type Resource, ref, type Value } from './template.ts';

const LOG_RETENTION_DAYS = 30;
/**
 * No path and no query: both are the sender's to choose, and a key may stand in either.
 *
 * @see Amazon API Gateway Developer Guide, "Customize HTTP API access logs"
 */
const ACCESS_LOG = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  sourceIp: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  route: '$context.routeKey',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  responseBytes: '$context.responseLength',
  error: '$context.integrationErrorMessage',
};

interface Route {
  readonly httpApi: {
    readonly method: string;
    readonly path: string;
    readonly authorizer?: { readonly type: 'aws_iam' };
  };
}

/**
 * One route for all webhooks, known or not, and every method: the function answers 401 and 405 itself, and the same to
 * all. Where the gateway is to check a signature, it needs routes of their own; what misses them, by another method, finds
 * the one for all, has no identity there, and is refused by the function.
 */
export function webhookRoutes({ destinations }: Pick<Configuration, 'destinations'>): Route[] {
  const signed = destinations.flatMap(({ settings: { name, webhook } }) =>
    webhook?.verify.some(({ type }) => type === 'iam')
      ? webhook.methods.map((method): Route['httpApi'] => ({
          method,
          path: `/webhooks/${name}`,
          authorizer: { type: 'aws_iam' },
        }))
      : [],
  );
  return [{ method: '*', path: '/webhooks/{destination}' }, ...signed].map((httpApi) => ({ httpApi }));
}

/** What is added to the framework's resources, by their logical ids. */
export function httpApiExtensions({
  throttling,
  domain,
  platform,
}: Configuration): Record<string, Pick<Resource, 'Properties'>> {
  const tags = tagMap(platform.tags);
  // By the default endpoint everyone would come in without a certificate.
  const closed = domain === undefined ? {} : { DisableExecuteApiEndpoint: true };
  const ofApi = { ...closed, ...tags };
  return {
    HttpApiStage: {
      Properties: {
        DefaultRouteSettings: {
          DetailedMetricsEnabled: false,
          ThrottlingRateLimit: throttling.requestsPerSecond,
          ThrottlingBurstLimit: throttling.burst,
        },
        AccessLogSettings: { DestinationArn: attribute('WebhookAccessLog', 'Arn'), Format: JSON.stringify(ACCESS_LOG) },
        ...tags,
      },
    },
    ...(Object.keys(ofApi).length > 0 && { HttpApi: { Properties: ofApi } }),
  };
}

export function httpApiResources(
  { domain, platform: { kmsKeyForLogs } }: Configuration,
  { service, stage }: Pick<ServiceInput, 'service' | 'stage'>,
): Record<string, Resource> {
  const log: Resource = {
    Type: 'AWS::Logs::LogGroup',
    Properties: {
      // The prefix keeps the account's one resource policy for such logs from growing with each stack.
      LogGroupName: `/aws/vendedlogs/${service}-${stage}-webhook-access`,
      RetentionInDays: LOG_RETENTION_DAYS,
      ...(kmsKeyForLogs !== undefined && { KmsKeyId: kmsKeyForLogs }),
    },
  };
  if (domain === undefined) return { WebhookAccessLog: log };
  const { name, certificateArn, truststoreUri, truststoreVersion, ownershipVerificationCertificateArn } = domain;
  return {
    WebhookAccessLog: log,
    WebhookDomain: {
      Type: 'AWS::ApiGatewayV2::DomainName',
      Properties: {
        DomainName: name,
        DomainNameConfigurations: [
          {
            CertificateArn: certificateArn,
            EndpointType: 'REGIONAL',
            SecurityPolicy: 'TLS_1_2',
            ...(ownershipVerificationCertificateArn === undefined
              ? {}
              : { OwnershipVerificationCertificateArn: ownershipVerificationCertificateArn }),
          },
        ],
        ...(truststoreUri === undefined
          ? {}
          : {
              MutualTlsAuthentication: {
                TruststoreUri: truststoreUri,
                ...(truststoreVersion === undefined ? {} : { TruststoreVersion: truststoreVersion }),
              },
            }),
      },
    },
    WebhookDomainMapping: {
      Type: 'AWS::ApiGatewayV2::ApiMapping',
      Properties: { ApiId: ref('HttpApi'), DomainName: ref('WebhookDomain'), Stage: ref('HttpApiStage') },
    },
  };
}

/** The URL of a webhook is this and the name of its destination. */
export function webhooksUrl({ domain }: Configuration): Value {
  const origin = domain === undefined ? attribute('HttpApi', 'ApiEndpoint') : `https://${domain.name}`;
  return join(origin, '/webhooks/');
}

/** What the record of the domain must point to, which is not ours to write. */
export function domainTarget({ domain }: Configuration): Value | undefined {
  return domain === undefined ? undefined : attribute('WebhookDomain', 'RegionalDomainName');
}
