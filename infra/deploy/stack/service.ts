/**
 * What serverless.yml may say beside `custom`, in `provider` above all. The framework would take more, and then pass over it, since the functions have
 * roles of their own, or fail at the deployment: that is refused, with the place where it is set instead.
 */
import { nearest } from '../../../functions/settings/nearest.ts';
import { isRecord } from '../../../functions/untrusted.ts';
import type { OwnMetrics } from './alarm.ts';
import type { ServiceInput } from './destination.ts';

/** The one that `infra/build/build.ts` bundles for. */
const RUNTIME = 'nodejs24.x';

const ROLE = 'each function has a role of its own, made in infra/deploy/stack/role.ts';
const HTTP_API = 'not supported: the webhooks have an HTTP API';
const ELSEWHERE: Readonly<Record<string, string>> = {
  vpc: 'set custom.vpc: { subnetIds, securityGroupIds } instead',
  tracing: 'set custom.tracing: true instead',
  layers: 'not supported: everything that the functions need is in their zip',
  timeout: 'follows from timeoutSeconds of the destinations',
  role: ROLE,
  rolePermissionsBoundary: 'set custom.permissionsBoundaryArn instead',
  iamRoleStatements: ROLE,
  iamManagedPolicies: ROLE,
  httpApi: 'set custom.webhookThrottling and custom.webhookDomain instead',
  logs: 'set provider.logRetentionInDays and custom.kmsKeyForLogs instead; both functions and the gateway have their logs',
  kmsKeyArn:
    'not supported: the variables hold no secret; set custom.kmsKeyForQueues, custom.kmsKeyForLogs or custom.kmsKeyArns instead',
  apiGateway: HTTP_API,
  apiName: HTTP_API,
  apiKeys: HTTP_API,
  endpointType: HTTP_API,
  resourcePolicy: HTTP_API,
  usagePlan: HTTP_API,
  vpcEndpointIds: HTTP_API,
};
/** What would end the metrics. */
const ENDS_METRICS = ['POWERTOOLS_METRICS_DISABLED', 'POWERTOOLS_DEV'];
const METRICS = 'not supported: alarms and dashboard are about the metrics that it switches off';
/** What renames them, and the log lines' service; alarms and dashboard follow. */
const NAMES_METRICS = ['POWERTOOLS_SERVICE_NAME', 'POWERTOOLS_METRICS_NAMESPACE'] as const;
/** As CloudWatch takes namespaces, of which those that begin with AWS/ are its own; dimensions may have more. */
const METRICS_NAME = /^(?!AWS\/|:)[\w./#:-]{1,255}$/;
const METRICS_NAMED = 'expected at most 255 letters, digits and . - _ / # :, not beginning with AWS/ or :';
const OF_IAM = ['deploymentRole'];
const BOUNDARY = ['permissionBoundary', 'permissionsBoundary'];
/** Of `iam.role`, what is set elsewhere. */
function iamMistake(field: string, value: unknown): string {
  if (field === 'role' && isRecord(value) && Object.keys(value).every((name) => BOUNDARY.includes(name)))
    return `set custom.permissionsBoundaryArn instead`;
  return ROLE;
}
const TAKEN = [
  'name',
  'runtime',
  'architecture',
  'stage',
  'region',
  'profile',
  'memorySize',
  'environment',
  'logRetentionInDays',
  'logDataProtectionPolicy',
  'versionFunctions',
  'runtimeManagement',
  'tags',
  'iam',
  'cfnRole',
  'deploymentMethod',
  'deploymentBucket',
  'deploymentPrefix',
  'disableRollback',
  'notificationArns',
  'rollbackConfiguration',
  'stackName',
  'stackParameters',
  'stackPolicy',
  'stackTags',
];

const BESIDE: Readonly<Record<string, string>> = {
  destinations: 'belongs to custom; indent it below custom',
  layers: `${ELSEWHERE.layers}`,
  package: 'not supported: infra/deploy/artifact.ts makes the zip',
};

export function serviceMistakes({ service, stage, provider, beside = {} }: Omit<ServiceInput, 'custom'>): string[] {
  const found = Object.keys(BESIDE).filter((field) => beside[field] !== undefined && beside[field] !== null);
  const lines = found.map((field) => `${field}: ${BESIDE[field]}`);
  // Names of queues begin with both.
  if (!/^[\w-]+$/.test(service)) lines.push('service: expected letters, digits, - and _');
  if (!/^[\w-]+$/.test(stage)) lines.push('provider.stage: expected letters, digits, - and _');
  return [...lines, ...providerMistakes(provider)];
}

/** Two stages in one account would count into the same metrics: by default each has its own service. */
export function metricsOf({ service, stage, provider }: Omit<ServiceInput, 'custom'>): OwnMetrics {
  const environment = isRecord(provider) && isRecord(provider.environment) ? provider.environment : {};
  const [name, namespace] = NAMES_METRICS.map((variable) => environment[variable]).map((value) =>
    isMetricsName(value) ? value : undefined,
  );
  return { service: name ?? `${service}-${stage}`, namespace: namespace ?? 'TokenRelay' };
}

function isMetricsName(value: unknown): value is string {
  return typeof value === 'string' && METRICS_NAME.test(value);
}

function providerMistakes(provider: unknown): string[] {
  if (!isRecord(provider)) return [];
  const { runtime, iam, environment } = provider;
  const lines = Object.keys(provider)
    .filter((field) => !TAKEN.includes(field))
    .map((field) => `provider.${field}: ${ELSEWHERE[field] ?? unknown(field)}`);
  if (runtime !== RUNTIME) lines.push(`provider.runtime: expected ${RUNTIME}, which the functions are bundled for`);
  const variables = isRecord(environment) ? environment : {};
  for (const name of ENDS_METRICS.filter((name) => name in variables))
    lines.push(`provider.environment.${name}: ${METRICS}`);
  for (const name of NAMES_METRICS.filter((name) => name in variables && !isMetricsName(variables[name])))
    lines.push(`provider.environment.${name}: ${METRICS_NAMED}`);
  for (const [field, value] of Object.entries(isRecord(iam) ? iam : {})) {
    if (!OF_IAM.includes(field)) lines.push(`provider.iam.${field}: ${iamMistake(field, value)}`);
  }
  return lines;
}

function unknown(field: string): string {
  const meant = nearest(field, TAKEN);
  return meant === undefined ? 'not supported' : `unknown field, did you mean ${meant}?`;
}
