/**
 * The AWS JSON protocol (1.0 for SQS, 1.1 for Secrets Manager) between a request and an operation with its input, and
 * back: the operation stands in `X-Amz-Target`, errors name themselves in `__type`. Signatures are not checked. What an
 * operation does is for the service.
 *
 * @see https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 * @see https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#x-amzn-query-error for the header of SQS's old codes
 */
import type { Answer, Request } from '../server/server.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** An error that the service answers with. */
export class AwsError extends Error {
  /** Shape id as `__type` has it, e.g. `com.amazonaws.sqs#QueueDoesNotExist`. */
  readonly type: string;
  readonly status: number;
  /** The code of the former XML protocol, where the service still sends it. */
  readonly queryCode: string | undefined;

  constructor(type: string, status: number, message: string, queryCode?: string) {
    super(message);
    this.name = 'AwsError';
    this.type = type;
    this.status = status;
    this.queryCode = queryCode;
  }
}

export interface AwsCall {
  readonly operation: string;
  readonly input: JsonObject;
}

/**
 * @param service what stands before the dot in `X-Amz-Target`
 * @throws AwsError UnknownOperationException, SerializationException
 */
export function readCall(request: Request, service: string): AwsCall {
  const [prefix, operation] = (request.headers['x-amz-target'] ?? '').split('.');
  if (request.method !== 'POST' || prefix !== service || !operation) {
    throw new AwsError('com.amazon.coral.service#UnknownOperationException', 404, 'The operation is not known.');
  }
  return { operation, input: readInput(request.body) };
}

function readInput(body: Buffer): JsonObject {
  try {
    const input: unknown = JSON.parse(body.length === 0 ? '{}' : body.toString('utf8'));
    if (isJsonObject(input)) return input;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw serializationException('The request body is not a JSON object.');
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function serializationException(message: string): AwsError {
  return new AwsError('com.amazon.coral.service#SerializationException', 400, message);
}

/** @throws AwsError SerializationException if it is there and no string */
export function readString(input: JsonObject, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw serializationException(`${name} must be a string.`);
}

/** @throws AwsError SerializationException if it is there and no whole number */
export function readInteger(input: JsonObject, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw serializationException(`${name} must be an integer.`);
}

/** @throws AwsError SerializationException if it is there and no boolean */
export function readBoolean(input: JsonObject, name: string): boolean | undefined {
  const value = input[name];
  if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined;
  throw serializationException(`${name} must be a boolean.`);
}

/** A list of strings; empty when it is left out. */
export function readStrings(input: JsonObject, name: string): readonly string[] {
  const value = input[name] ?? [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw serializationException(`${name} must be a list of strings.`);
}

/** A map of strings; empty when it is left out. */
export function readStringMap(input: JsonObject, name: string): Readonly<Record<string, string>> {
  const value = input[name] ?? {};
  if (isJsonObject(value) && Object.values(value).every((item) => typeof item === 'string')) {
    return value as Readonly<Record<string, string>>;
  }
  throw serializationException(`${name} must be a map of strings.`);
}

/** A list of objects; empty when it is left out. */
export function readObjects(input: JsonObject, name: string): readonly JsonObject[] {
  const value = input[name] ?? [];
  if (Array.isArray(value) && value.every(isJsonObject)) return value;
  throw serializationException(`${name} must be a list of objects.`);
}

/** A map of objects; empty when it is left out. */
export function readObjectMap(input: JsonObject, name: string): Readonly<Record<string, JsonObject>> {
  const value = input[name] ?? {};
  if (isJsonObject(value) && Object.values(value).every(isJsonObject)) {
    return value as Readonly<Record<string, JsonObject>>;
  }
  throw serializationException(`${name} must be a map of objects.`);
}

export type JsonVersion = '1.0' | '1.1';

/** Undefined fields are left out. */
export function jsonAnswer(version: JsonVersion, requestId: string, output: JsonObject): Answer {
  return { status: 200, headers: headers(version, requestId), body: JSON.stringify(output) };
}

export function errorAnswer(version: JsonVersion, requestId: string, error: AwsError): Answer {
  return {
    status: error.status,
    headers: {
      ...headers(version, requestId),
      ...(error.queryCode === undefined ? {} : { 'x-amzn-query-error': `${error.queryCode};Sender` }),
    },
    body: JSON.stringify({ __type: error.type, message: error.message }),
  };
}

function headers(version: JsonVersion, requestId: string): Record<string, string> {
  return { 'Content-Type': `application/x-amz-json-${version}`, 'x-amzn-RequestId': requestId };
}
