/**
 * The environment variables of a function's process: its own, checked as Lambda's API checks them, and those that
 * Lambda sets. Nothing of the host's own environment gets in, so that a function that needs it fails here too.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
import { randomBytes } from 'node:crypto';
import { basename, dirname, extname } from 'node:path';

const LIMIT_BYTES = 4096;

/** "Reserved environment variables"; the AWS SDK's `AWS_ENDPOINT_URL…` are not among them. */
const RESERVED: ReadonlySet<string> = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_MAX_CONCURRENCY',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
]);

export type Variables = Readonly<Record<string, string>>;

/** A function's own variables that Lambda's API would not take; the message never quotes a value. */
export class InvalidParameterValueException extends Error {
  override name = 'InvalidParameterValueException';
}

/** @throws InvalidParameterValueException for a reserved or malformed name, or more than 4 KB in all. */
export function checkVariables(variables: Variables): Variables {
  const names = Object.keys(variables);
  const reserved = names.filter((name) => RESERVED.has(name));
  if (reserved.length > 0) {
    throw new InvalidParameterValueException(
      'Lambda was unable to configure your environment variables because the environment variables you have provided ' +
        'contains reserved keys that are currently not supported for modification. ' +
        `Reserved keys used in this request: ${reserved.join(', ')}`,
    );
  }
  const malformed = names.find((name) => !/^[a-zA-Z][a-zA-Z0-9_]+$/.test(name));
  if (malformed !== undefined) {
    throw new InvalidParameterValueException(`environment variable name ${JSON.stringify(malformed)} is malformed`);
  }
  // Lambda measures the JSON text; its own error goes on with "String measured:" and all values, which is left out.
  if (Buffer.byteLength(JSON.stringify(variables)) > LIMIT_BYTES) {
    throw new InvalidParameterValueException(
      'Lambda was unable to configure your environment variables because the environment variables you have provided ' +
        'exceeded the 4KB limit.',
    );
  }
  return { ...variables };
}

export interface ProcessVariablesOptions {
  readonly functionName: string;
  readonly bundle: string;
  readonly exportName: string;
  readonly memoryMb: number;
  readonly region: string;
  /** `host:port` of this environment's Runtime API. */
  readonly runtimeApi: string;
  /** The function's own. */
  readonly variables: Variables;
  readonly confidential: (value: string) => void;
}

/** Everything in the environment of one process. Each gets credentials of its own, as on Lambda. */
export function processVariables(options: ProcessVariablesOptions): Variables {
  const { functionName, bundle, region } = options;
  const secretAccessKey = randomBytes(30).toString('base64');
  const sessionToken = randomBytes(192).toString('base64');
  options.confidential(secretAccessKey);
  options.confidential(sessionToken);
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  return {
    ...options.variables,
    _HANDLER: `${basename(bundle, extname(bundle))}.${options.exportName}`,
    AWS_ACCESS_KEY_ID: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_DEFAULT_REGION: region,
    AWS_REGION: region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(options.memoryMb),
    AWS_LAMBDA_FUNCTION_NAME: functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${functionName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `${day}/[$LATEST]${randomBytes(16).toString('hex')}`,
    AWS_LAMBDA_RUNTIME_API: options.runtimeApi,
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    LAMBDA_TASK_ROOT: dirname(bundle),
    LANG: 'en_US.UTF-8',
    PATH: options.variables.PATH ?? '/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin',
    TZ: options.variables.TZ ?? ':UTC',
  };
}
