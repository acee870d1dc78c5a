/**
 * What the kinds of API Gateway have in words of their own: which events they send, and which answers they give when
 * there is none to pass on. Events are built in event.ts, replies read in reply.ts.
 *
 * Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html (REST),
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html. HTTP APIs document few of their answers;
 * those are as reported by their users.
 */

import type { Answer } from '../../server/server.ts';
import type { InvokeFailure } from '../lambda/invoke-result.ts';

/** An HTTP API (payload format 2.0 or 1.0), or a REST API with Lambda proxy integration (1.0). */
export type Gateway = 'http-api' | 'rest-api';

export const BODY_LIMIT_BYTES = 10_485_760;
/** Request line and headers together. */
export const HEADER_LIMIT_BYTES = 10_240;

/** An HTTP API's timeout for integrations cannot be more; a REST API's is 29 s unless its quota was raised. */
export const TIMEOUT_SECONDS: Readonly<Record<Gateway, number>> = { 'http-api': 30, 'rest-api': 29 };

export type Refusal =
  | 'no-route'
  | 'unsigned'
  | 'headers-too-large'
  | 'body-too-large'
  | 'event-too-large'
  | 'timeout'
  | 'throttled'
  | 'failed';

interface Words {
  readonly status: number;
  readonly message: string;
  /** REST APIs tell it as `x-amzn-ErrorType`. */
  readonly errorType?: string;
}

const WORDS: Readonly<Record<Gateway, Readonly<Record<Refusal, Words>>>> = {
  'http-api': {
    'no-route': { status: 404, message: 'Not Found' },
    unsigned: { status: 403, message: 'Forbidden' },
    'headers-too-large': { status: 431, message: 'Request Header Fields Too Large' },
    'body-too-large': { status: 413, message: 'Request Entity Too Large' },
    'event-too-large': { status: 413, message: 'Request Entity Too Large' },
    timeout: { status: 503, message: 'Service Unavailable' },
    throttled: { status: 503, message: 'Service Unavailable' },
    failed: { status: 500, message: 'Internal Server Error' },
  },
  'rest-api': {
    'no-route': {
      status: 403,
      message: 'Missing Authentication Token',
      errorType: 'MissingAuthenticationTokenException',
    },
    unsigned: { status: 403, message: 'Forbidden', errorType: 'AccessDeniedException' },
    'headers-too-large': { status: 431, message: 'Request Header Fields Too Large', errorType: 'BadRequestException' },
    'body-too-large': {
      status: 413,
      message: `HTTP content length exceeded ${BODY_LIMIT_BYTES} bytes.`,
      errorType: 'RequestTooLargeException',
    },
    'event-too-large': { status: 413, message: 'Request Too Long', errorType: 'RequestTooLargeException' },
    timeout: { status: 504, message: 'Endpoint request timed out', errorType: 'InternalServerErrorException' },
    throttled: { status: 500, message: 'Internal server error', errorType: 'InternalServerErrorException' },
    failed: { status: 502, message: 'Internal server error', errorType: 'InternalServerErrorException' },
  },
};

/** The gateway's own answer. */
export function refuse(gateway: Gateway, refusal: Refusal): Answer {
  const { status, message, errorType } = WORDS[gateway][refusal];
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      ...(errorType === undefined ? {} : { 'x-amzn-ErrorType': errorType }),
    },
    body: JSON.stringify({ message }),
  };
}

/** Which answer an invocation that failed gets; what the function said stays with the gateway. */
export function refusalOf({ errorType }: InvokeFailure): Refusal {
  if (errorType === 'RequestEntityTooLargeException') return 'event-too-large';
  if (errorType === 'TooManyRequestsException') return 'throttled';
  return 'failed';
}
