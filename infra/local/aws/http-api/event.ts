/**
 * An HTTP request as the event that a gateway hands to a Lambda function: payload format 2.0 and 1.0 of HTTP APIs, and
 * the Lambda proxy event of REST APIs. How the function's reply is read is in reply.ts.
 *
 * Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html and
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html. Observed on AWS
 * and imitated: HTTP APIs hand over the path decoded, and cut it at a decoded `?`; REST APIs as it was sent, in `path`
 * and in the path variables.
 */
import type { Request } from '../../server/server.ts';
import type { Gateway } from './gateway.ts';
import { type Field, forwardFields, group, mapGroups, readFields, values } from './header.ts';
import { toPayload } from './payload.ts';
import type { RouteMatch } from './route.ts';
import type { Identity } from './signature.ts';

export interface ApiContext {
  readonly gateway: Gateway;
  readonly payloadFormat: '2.0' | '1.0';
  readonly accountId: string;
  readonly apiId: string;
  readonly region: string;
  /** `$default`, or the first segment of every path. */
  readonly stage: string;
  readonly binaryMediaTypes: readonly string[];
}

/** What is this request's alone. */
export interface RequestFacts {
  readonly route: RouteMatch;
  readonly requestId: string;
  readonly extendedRequestId: string;
  readonly traceId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly sourceIp: string;
  /** Who signed it, on a route that asks for that. */
  readonly identity?: Identity | undefined;
}

/**
 * The path that routes are looked up by: without the stage, decoded where the gateway decodes.
 * Undefined: of another stage, or not to be decoded.
 */
export function routePath(path: string, api: Pick<ApiContext, 'gateway' | 'stage'>): string | undefined {
  const seen = api.gateway === 'http-api' ? decodePath(path) : path;
  if (seen === undefined || api.stage === '$default') return seen;
  if (seen === `/${api.stage}`) return '/';
  return seen.startsWith(`/${api.stage}/`) ? seen.slice(api.stage.length + 1) : undefined;
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path).split('?', 1)[0];
  } catch {
    // URIError: a percent sign that is none.
    return undefined;
  }
}

/** JSON as the function gets it. */
export type Event = Readonly<Record<string, unknown>>;

export function toEvent(request: Request, api: ApiContext, facts: RequestFacts): Event {
  const fields = forwardFields(readFields(request.rawHeaders), {
    sourceIp: facts.sourceIp,
    traceId: facts.traceId,
    bodyBytes: request.body.byteLength,
  });
  const payload = toPayload(
    request.body,
    { contentType: values(fields, 'content-type').at(-1), contentEncoding: values(fields, 'content-encoding').at(-1) },
    api,
  );
  const parts = { request, api, facts, fields, ...payload };
  return api.payloadFormat === '2.0' ? format2(parts) : format1(parts);
}

interface Parts {
  readonly request: Request;
  readonly api: ApiContext;
  readonly facts: RequestFacts;
  readonly fields: readonly Field[];
  readonly body: string | undefined;
  readonly isBase64Encoded: boolean;
}

/** Absent fields are left out. */
function format2({ request, api, facts, fields, body, isBase64Encoded }: Parts): Event {
  const query = group([...request.query.entries()]);
  const cookies = values(fields, 'cookie').flatMap((value) => value.split(/;\s*/));
  const headers = mapGroups(group(lowerCase(fields)), (list) => list.join(','));
  // Cookies have a field of their own.
  delete headers.cookie;
  const rawPath = decodePath(request.path) ?? request.path;
  const rawQueryString = request.target.includes('?') ? request.target.slice(request.target.indexOf('?') + 1) : '';
  return {
    version: '2.0',
    routeKey: facts.route.routeKey,
    rawPath,
    rawQueryString,
    ...(cookies.length > 0 ? { cookies } : {}),
    headers,
    ...(request.query.size > 0 ? { queryStringParameters: mapGroups(query, (list) => list.join(',')) } : {}),
    requestContext: {
      accountId: api.accountId,
      apiId: api.apiId,
      ...(facts.identity === undefined ? {} : { authorizer: { iam: iamOf(facts.identity) } }),
      domainName: domainName(api),
      domainPrefix: api.apiId,
      http: {
        method: request.method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: facts.sourceIp,
        userAgent: values(fields, 'user-agent').at(-1) ?? '',
      },
      requestId: facts.extendedRequestId,
      routeKey: facts.route.routeKey,
      stage: api.stage,
      time: clfTime(facts.at),
      timeEpoch: facts.at,
    },
    ...(facts.route.pathParameters === undefined ? {} : { pathParameters: facts.route.pathParameters }),
    ...(body === undefined ? {} : { body }),
    isBase64Encoded,
  };
}

/** Absent fields are null. */
function format1({ request, api, facts, fields, body, isBase64Encoded }: Parts): Event {
  const isRest = api.gateway === 'rest-api';
  const multiValueHeaders = group(isRest ? fields : lowerCase(fields));
  const query = request.query.size > 0 ? group([...request.query.entries()]) : null;
  const path = isRest ? (routePath(request.path, api) ?? request.path) : (decodePath(request.path) ?? request.path);
  const last = (list: readonly string[]) => list.at(-1) ?? '';
  const iam = facts.identity && iamOf(facts.identity);
  return {
    ...(isRest ? {} : { version: '1.0' }),
    resource: facts.route.resource,
    path,
    httpMethod: request.method,
    headers: mapGroups(multiValueHeaders, last),
    multiValueHeaders,
    queryStringParameters: query === null ? null : mapGroups(query, last),
    multiValueQueryStringParameters: query,
    requestContext: {
      accountId: api.accountId,
      apiId: api.apiId,
      ...(isRest ? {} : { authorizer: { claims: null, scopes: null } }),
      domainName: domainName(api),
      domainPrefix: api.apiId,
      extendedRequestId: facts.extendedRequestId,
      httpMethod: request.method,
      identity: {
        accessKey: iam?.accessKey ?? null,
        accountId: iam?.accountId ?? null,
        caller: iam?.callerId ?? null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: facts.sourceIp,
        user: iam?.userId ?? null,
        userAgent: values(fields, 'user-agent').at(-1) ?? null,
        userArn: iam?.userArn ?? null,
      },
      path: request.path,
      protocol: 'HTTP/1.1',
      requestId: isRest ? facts.requestId : facts.extendedRequestId,
      requestTime: clfTime(facts.at),
      requestTimeEpoch: facts.at,
      resourceId: isRest ? 'abc123' : null,
      resourcePath: facts.route.resource,
      stage: api.stage,
    },
    pathParameters: facts.route.pathParameters ?? null,
    stageVariables: null,
    body: body ?? null,
    isBase64Encoded,
  };
}

/** What the gateway tells of who signed. */
function iamOf({ accessKeyId, userArn }: Identity) {
  const userId = `AIDA${accessKeyId.slice(4)}`;
  return {
    accessKey: accessKeyId,
    accountId: userArn.split(':')[4] ?? '',
    callerId: userId,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn,
    userId,
  };
}

function lowerCase(fields: readonly Field[]): readonly Field[] {
  return fields.map(([name, value]) => [name.toLowerCase(), value]);
}

function domainName({ apiId, region }: ApiContext): string {
  return `${apiId}.execute-api.${region}.amazonaws.com`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12/Mar/2020:19:03:58 +0000`, as in the Common Log Format. */
function clfTime(at: number): string {
  const [date = '', time = ''] = new Date(at).toISOString().split('T');
  const [year, month, day] = date.split('-');
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
}
