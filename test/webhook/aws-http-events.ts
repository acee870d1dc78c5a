/**
 * The sample events that AWS publishes for the ways in which HTTP wakes a function, less the parts that name people and
 * certificates; and the same ways with a request of one's own.
 *
 * @see Amazon API Gateway Developer Guide, "AWS Lambda proxy integrations for HTTP APIs"; AWS Lambda Developer Guide,
 * "Invoking Lambda function URLs"; Elastic Load Balancing User Guide, "Lambda functions as targets"
 */

const version1 = {
  resource: '/my/path',
  path: '/my/path',
  httpMethod: 'GET',
  headers: { header1: 'value1', header2: 'value2' },
  multiValueHeaders: { header1: ['value1'], header2: ['value1', 'value2'] },
  queryStringParameters: { parameter1: 'value1', parameter2: 'value' },
  multiValueQueryStringParameters: { parameter1: ['value1', 'value2'], parameter2: ['value'] },
  requestContext: {
    accountId: '123456789012',
    apiId: 'id',
    authorizer: { claims: null, scopes: null },
    domainName: 'id.execute-api.us-east-1.amazonaws.com',
    domainPrefix: 'id',
    extendedRequestId: 'request-id',
    httpMethod: 'GET',
    path: '/my/path',
    protocol: 'HTTP/1.1',
    requestId: 'id=',
    requestTime: '04/Mar/2020:19:15:17 +0000',
    requestTimeEpoch: 1583349317135,
    resourceId: null,
    resourcePath: '/my/path',
    stage: '$default',
  },
  pathParameters: null,
  stageVariables: null,
  body: 'Hello from Lambda!',
  isBase64Encoded: false,
};

/** HTTP API, payload 1.0. */
export const httpApi1 = { version: '1.0', ...version1 };
/** REST API: the same without a version. */
export const restApi = version1;

/** HTTP API, payload 2.0. */
export const httpApi2 = {
  version: '2.0',
  routeKey: '$default',
  rawPath: '/my/path',
  rawQueryString: 'parameter1=value1&parameter1=value2&parameter2=value',
  cookies: ['cookie1', 'cookie2'],
  headers: { header1: 'value1', header2: 'value1,value2' },
  queryStringParameters: { parameter1: 'value1,value2', parameter2: 'value' },
  requestContext: {
    accountId: '123456789012',
    apiId: 'api-id',
    authorizer: { jwt: { claims: { claim1: 'value1', claim2: 'value2' }, scopes: ['scope1', 'scope2'] } },
    domainName: 'id.execute-api.us-east-1.amazonaws.com',
    domainPrefix: 'id',
    http: { method: 'POST', path: '/my/path', protocol: 'HTTP/1.1', sourceIp: 'IP', userAgent: 'agent' },
    requestId: 'id',
    routeKey: '$default',
    stage: '$default',
    time: '12/Mar/2020:19:03:58 +0000',
    timeEpoch: 1583348638390,
  },
  body: 'Hello from Lambda',
  pathParameters: { parameter1: 'value1' },
  isBase64Encoded: false,
  stageVariables: { stageVariable1: 'value1', stageVariable2: 'value2' },
};

export const functionUrl = {
  ...httpApi2,
  requestContext: {
    ...httpApi2.requestContext,
    apiId: '<urlid>',
    authentication: null,
    authorizer: { iam: { accessKey: 'AKIA...', accountId: '111122223333', userId: 'AIDA...' } },
    domainName: '<url-id>.lambda-url.us-west-2.on.aws',
    domainPrefix: '<url-id>',
  },
  body: 'Hello from client!',
  pathParameters: null,
  stageVariables: null,
};

const elb = {
  targetGroupArn:
    'arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/lambda-279XGJDqGZ5rsrHC2Fjr/49e9d65c45c6791a',
};

/** Load balancer. */
export const loadBalancer = {
  requestContext: { elb },
  httpMethod: 'GET',
  path: '/lambda',
  queryStringParameters: { query: '1234ABCD' },
  headers: {
    accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,image/apng,*/*;q=0.8',
    'accept-encoding': 'gzip',
    'accept-language': 'en-US,en;q=0.9',
    connection: 'keep-alive',
    host: 'lambda-alb-123578498.us-east-2.elb.amazonaws.com',
    'upgrade-insecure-requests': '1',
    'x-amzn-trace-id': 'Root=1-5c536348-3d683b8b04734faae651f476',
    'x-forwarded-for': '72.12.164.125',
    'x-forwarded-port': '80',
    'x-forwarded-proto': 'http',
    'x-imforwards': '20',
  },
  body: '',
  isBase64Encoded: false,
};

/** Load balancer whose target group has multi-value headers. */
export const loadBalancerMultiValue = {
  requestContext: { elb },
  httpMethod: 'GET',
  path: '/lambda',
  multiValueHeaders: { accept: ['text/html'], cookie: ['name1=value1', 'name2=value2'], 'x-forwarded-port': ['80'] },
  multiValueQueryStringParameters: { myKey: ['val1', 'val2'] },
  body: '',
  isBase64Encoded: false,
};

/** A webhook's request, as the event of an HTTP API with payload 2.0. */
export function webhookEvent(fields: Record<string, unknown> & { method?: string } = {}) {
  const { method = 'POST', ...rest } = fields;
  return {
    ...httpApi2,
    rawPath: '/webhooks/orders',
    cookies: undefined,
    headers: { 'content-type': 'application/json' },
    requestContext: { ...httpApi2.requestContext, http: { ...httpApi2.requestContext.http, method } },
    body: '{"order":4711}',
    ...rest,
  };
}
