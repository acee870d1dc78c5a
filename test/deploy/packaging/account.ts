/**
 * An AWS account on loopback that has nothing but one stack, and takes note of what it is asked: enough for the
 * framework's `deploy` and `remove`. It makes no resources; what a template needs is known from its types.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Account {
  /** What the framework's SDK needs to find this account. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * In order, as IAM names actions; of a stack with its name, such as `cloudformation:DeleteStack token-relay-prod`.
   */
  readonly asked: readonly string[];
  close(): void;
}

/**
 * Actions of S3 and Lambda, which have no name on the wire, by method and path; `DeleteObjects` is allowed as each
 * delete.
 */
const BY_PATH: readonly (readonly [RegExp, string])[] = [
  [/^HEAD \/[^/]+\/$/, 's3:ListBucket'],
  [/^GET \/[^/]+\/\?list-type=2/, 's3:ListBucket'],
  [/^PUT \/[^/]+\/.+/, 's3:PutObject'],
  [/^POST \/[^/]+\/\?delete/, 's3:DeleteObject'],
  [/^GET \/2015-03-31\/functions\//, 'lambda:GetFunction'],
];
const STATUS: Readonly<Record<string, string>> = {
  CreateStack: 'CREATE_COMPLETE',
  UpdateStack: 'UPDATE_COMPLETE',
  DeleteStack: 'DELETE_COMPLETE',
};

/** @param hasPlainStack a stack is there from the beginning, without the framework's bucket. Default false */
export async function createAccount({ hasPlainStack = false } = {}): Promise<Account> {
  const asked: string[] = [];
  /** The last one that changed the stack. */
  let change = hasPlainStack ? 'CreateStack' : '';

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams((await buffer(request)).toString('latin1'));
    const service = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const action = form.get('Action') ?? String(request.headers['x-amz-target'] ?? '').split('.')[1];
    const path = `${request.method} ${request.url}`;
    const named = action === undefined ? BY_PATH.find(([pattern]) => pattern.test(path))?.[1] : `${service}:${action}`;
    const stack = action?.endsWith('Stack') ? ` ${form.get('StackName')}` : '';
    asked.push(`${named ?? `${service} ${path}`}${stack}`);
    if (action !== undefined && action in STATUS) change = action;
    const exists = change !== '' && change !== 'DeleteStack';
    const { status, headers, content } = answerTo({
      service,
      action: action ?? '',
      exists,
      change,
      hasBucket: !hasPlainStack,
    });
    response.writeHead(status, { 'content-type': 'text/xml', ...headers });
    response.end(content);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => response.destroy(error));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    asked,
    environment: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'synthetic',
      SLS_AWS_MONITORING_FREQUENCY: '20',
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Asked {
  readonly service: string;
  readonly action: string;
  readonly exists: boolean;
  /** What changed the stack last. */
  readonly change: string;
  readonly hasBucket: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly content: string;
}

const STACK = '<StackName>stack</StackName><StackId>arn:stack</StackId>';

function answerTo({ service, action, exists, change, hasBucket }: Asked): Answer {
  const result = (content: string): Answer => ({
    status: 200,
    content: `<${action}Response><${action}Result>${content}</${action}Result></${action}Response>`,
  });
  if (service === 'ecr') return none('RepositoryNotFoundException');
  if (service === 'lambda') return none('ResourceNotFoundException');
  if (service === 's3')
    return { status: 200, content: '<ListBucketResult><Contents><Key>deployed</Key></Contents></ListBucketResult>' };
  if (service === 'sts') return result('<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/one</Arn>');
  if (action === 'DescribeStacks') {
    if (!exists) return NO_STACK;
    const created = '<CreationTime>2026-12-01T00:00:00Z</CreationTime>';
    return result(`<Stacks><member>${STACK}${created}<StackStatus>${STATUS[change]}</StackStatus></member></Stacks>`);
  }
  if (action === 'DescribeStackResource' && !hasBucket) return NO_BUCKET;
  if (action === 'DescribeStackResource')
    return result('<StackResourceDetail><PhysicalResourceId>bucket</PhysicalResourceId></StackResourceDetail>');
  if (action === 'DescribeStackEvents') {
    // The framework looks for events of after it began to wait.
    const at = new Date(Date.now() + 60_000).toISOString();
    const event = `<EventId>${change}</EventId>${STACK}<PhysicalResourceId>arn:stack</PhysicalResourceId>
      <ResourceType>AWS::CloudFormation::Stack</ResourceType><LogicalResourceId>stack</LogicalResourceId>
      <Timestamp>${at}</Timestamp><ResourceStatus>${STATUS[change]}</ResourceStatus>`;
    return result(`<StackEvents><member>${event}</member></StackEvents>`);
  }
  return result('<StackId>arn:stack</StackId>');
}

const NO_BUCKET: Answer = {
  status: 400,
  content:
    '<ErrorResponse><Error><Code>ValidationError</Code><Message>Resource ServerlessDeploymentBucket does not exist for stack token-relay-prod</Message></Error></ErrorResponse>',
};
const NO_STACK: Answer = {
  status: 400,
  content:
    '<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id stack does not exist</Message></Error></ErrorResponse>',
};

function none(code: string): Answer {
  return {
    status: 404,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': code },
    content: JSON.stringify({ __type: code, message: 'none' }),
  };
}
