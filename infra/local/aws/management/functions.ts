/**
 * Functions and their event source mappings as Lambda's API shows them, and the one change that operators make without
 * a deployment: a mapping is disabled and enabled again. Creating and every other change are for the deployment.
 *
 * @see AWS: Lambda API Reference "GetFunctionConfiguration", "ListEventSourceMappings", "UpdateEventSourceMapping"
 */
import type { Answer, Request } from '../../server/server.ts';
import { isJsonObject, type JsonObject } from '../aws-json.ts';
import type { LambdaFunction } from '../lambda/lambda.ts';
import type { QueueTrigger } from '../queue-trigger/queue-trigger.ts';

export interface EventSourceMapping {
  readonly uuid: string;
  readonly queueArn: string;
  readonly functionArn: string;
  readonly batchSize: number;
  readonly maximumBatchingWindowSeconds: number;
  readonly maximumConcurrency: number;
  readonly trigger: Pick<QueueTrigger, 'pause' | 'resume' | 'polling'>;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export interface Functions {
  addFunction(made: LambdaFunction): void;
  addMapping(mapping: EventSourceMapping): void;
  removeFunction(name: string): void;
  removeMapping(queueArn: string): void;
  /**
   * Fields that the API tells of a function or mapping in place of what is: a set-up that the landscape cannot be in.
   */
  tell(nameOrQueueArn: string, fields: JsonObject): void;
  /** Refuses an operation, or every one, to the caller: AccessDeniedException. */
  denyAccess(on: boolean): void;
  answer(request: Request, requestId: string): Answer;
}

const FUNCTION = /^\/2015-03-31\/functions\/([^/]+)\/configuration$/;
const MAPPING = /^\/2015-03-31\/event-source-mappings\/([\w-]*)$/;

export function createFunctions(): Functions {
  const functions = new Map<string, LambdaFunction>();
  const mappings = new Map<string, EventSourceMapping>();
  const told = new Map<string, JsonObject>();
  const changedAt = new Map<string, number>();
  let isDenied = false;

  function shown(mapping: EventSourceMapping): JsonObject {
    const { uuid, queueArn, functionArn, batchSize, maximumBatchingWindowSeconds, maximumConcurrency } = mapping;
    return {
      UUID: uuid,
      EventSourceArn: queueArn,
      FunctionArn: functionArn,
      BatchSize: batchSize,
      MaximumBatchingWindowInSeconds: maximumBatchingWindowSeconds,
      ScalingConfig: { MaximumConcurrency: maximumConcurrency },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      State: mapping.trigger.polling ? 'Enabled' : 'Disabled',
      StateTransitionReason: 'USER_INITIATED',
      LastModified: (changedAt.get(uuid) ?? mapping.createdAt) / 1000,
      ...told.get(queueArn),
    };
  }

  function configuration(name: string): Answer | JsonObject {
    const made = functions.get(name) ?? [...functions.values()].find(({ arn }) => arn === name);
    if (made === undefined) return notFound(`Function not found: ${name}`);
    const { timeoutSeconds, memoryMb, variables } = made.configuration;
    return {
      FunctionName: made.name,
      FunctionArn: made.arn,
      Runtime: 'nodejs24.x',
      Timeout: timeoutSeconds,
      MemorySize: memoryMb,
      Environment: { Variables: variables },
      State: 'Active',
      LastUpdateStatus: 'Successful',
      ...told.get(made.name),
    };
  }

  function update(mapping: EventSourceMapping, body: Buffer): Answer | JsonObject {
    const input: unknown = JSON.parse(body.toString() || '{}');
    const others = isJsonObject(input) ? Object.keys(input).filter((field) => field !== 'Enabled') : ['the body'];
    if (!isJsonObject(input) || typeof input.Enabled !== 'boolean' || others.length > 0) {
      return refusal(
        400,
        'InvalidParameterValueException',
        `Only Enabled can be changed here, not ${others.join(', ')}`,
      );
    }
    if (input.Enabled !== mapping.trigger.polling) {
      changedAt.set(mapping.uuid, Date.now());
      if (input.Enabled) mapping.trigger.resume();
      else mapping.trigger.pause();
    }
    // As AWS says it: the change is under way when it answers.
    return { ...shown(mapping), State: input.Enabled ? 'Enabling' : 'Disabling' };
  }

  function find({ method, path, query, body }: Request): {
    readonly status: number;
    readonly found: Answer | JsonObject;
  } {
    if (isDenied) return { status: 200, found: denied() };
    const [, name] = FUNCTION.exec(path) ?? [];
    // A name of AWS has nothing that is percent-encoded but colons of an ARN.
    if (name !== undefined) return { status: 200, found: configuration(name.replaceAll(/%3A/gi, ':')) };
    const [, uuid = ''] = MAPPING.exec(`${path.replace(/\/$/, '')}${path.endsWith('mappings/') ? '/' : ''}`) ?? [];
    if (uuid === '') {
      const [source, functionName] = [query.get('EventSourceArn'), query.get('FunctionName')];
      const chosen = [...mappings.values()].filter(
        ({ queueArn, functionArn }) =>
          (source === null || queueArn === source) &&
          (functionName === null || functionArn === functionName || functionArn.endsWith(`:${functionName}`)),
      );
      return { status: 200, found: { EventSourceMappings: chosen.map(shown) } };
    }
    const mapping = [...mappings.values()].find((one) => one.uuid === uuid);
    if (mapping === undefined) return { status: 404, found: notFound('The resource you requested does not exist.') };
    return method === 'PUT' ? { status: 202, found: update(mapping, body) } : { status: 200, found: shown(mapping) };
  }

  return {
    addFunction: (made) => {
      functions.set(made.name, made);
    },
    addMapping: (mapping) => {
      mappings.set(mapping.queueArn, mapping);
    },
    removeFunction: (name) => {
      functions.delete(name);
    },
    removeMapping: (queueArn) => {
      mappings.delete(queueArn);
    },
    tell: (key, fields) => {
      told.set(key, fields);
    },
    denyAccess: (on) => {
      isDenied = on;
    },
    answer: (request, requestId) => {
      const { status, found } = find(request);
      const headers = { 'Content-Type': 'application/json', 'x-amzn-RequestId': requestId };
      if (isAnswer(found)) return { ...found, headers: { ...headers, ...found.headers } };
      return { status, headers, body: JSON.stringify(found) };
    },
  };
}

function isAnswer(found: Answer | JsonObject): found is Answer {
  return 'status' in found;
}

function denied(): Answer {
  const text = 'User: arn:aws:iam::123456789012:user/night is not authorized to perform this lambda action';
  return refusal(403, 'AccessDeniedException', text);
}

function notFound(text: string): Answer {
  return refusal(404, 'ResourceNotFoundException', text);
}

function refusal(status: number, type: string, Message: string): Answer {
  return { status, headers: { 'x-amzn-ErrorType': type }, body: JSON.stringify({ Type: 'User', Message }) };
}
