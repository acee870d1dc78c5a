/** Refusals of the webhook, byte for byte: RFC 9457 with fixed text, which repeats nothing of what was sent. */
import { describe, expect, test } from 'vitest';
import { toReply } from '../../functions/webhook/event.ts';
import { type ProblemName, problem, UNAUTHORIZED } from '../../functions/webhook/problem.ts';

const bodies: readonly (readonly [ProblemName, number, string])[] = [
  [
    'unauthorized',
    401,
    '{"type":"urn:problem-type:token-relay:unauthorized","title":"Credentials are missing or wrong","status":401}',
  ],
  [
    'not-found',
    404,
    '{"type":"urn:problem-type:token-relay:not-found","title":"There is nothing at this path","status":404}',
  ],
  [
    'malformed-request',
    400,
    '{"type":"urn:problem-type:token-relay:malformed-request","title":"The request cannot be read","status":400}',
  ],
  [
    'method-not-allowed',
    405,
    '{"type":"urn:problem-type:token-relay:method-not-allowed","title":"The method is not allowed","status":405}',
  ],
  [
    'content-too-large',
    413,
    '{"type":"urn:problem-type:token-relay:content-too-large","title":"The body is too large","status":413}',
  ],
  [
    'unsupported-media-type',
    415,
    '{"type":"urn:problem-type:token-relay:unsupported-media-type","title":"The content type is not taken","status":415}',
  ],
  [
    'header-fields-too-large',
    431,
    '{"type":"urn:problem-type:token-relay:header-fields-too-large","title":"The headers are too large","status":431}',
  ],
  [
    'rejected',
    422,
    '{"type":"urn:problem-type:token-relay:rejected","title":"The receiver will never take this message","status":422}',
  ],
  [
    'bad-gateway',
    502,
    '{"type":"urn:problem-type:token-relay:bad-gateway","title":"The receiver could not take the message","status":502}',
  ],
  [
    'answer-too-large',
    502,
    '{"type":"urn:problem-type:token-relay:answer-too-large","title":"The answer of the receiver is too large","status":502}',
  ],
  [
    'unavailable',
    503,
    '{"type":"urn:problem-type:token-relay:unavailable","title":"The message cannot be taken now","status":503}',
  ],
  [
    'gateway-timeout',
    504,
    '{"type":"urn:problem-type:token-relay:gateway-timeout","title":"The receiver did not answer in time","status":504}',
  ],
];

describe('The problem', () => {
  test.each(bodies)('the problem %s is %i, byte for byte', (name, status, body) => {
    expect(problem(name)).toStrictEqual({
      status,
      headers: {
        'Content-Type': 'application/problem+json',
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      },
      body,
    });
  });

  test.each([400, 413, 415])('a rejection may be %i, in the status and in the body', (status) => {
    const reply = problem('rejected', { status });
    expect(reply.status).toBe(status);
    expect(JSON.parse(String(reply.body))).toEqual({
      type: 'urn:problem-type:token-relay:rejected',
      title: 'The receiver will never take this message',
      status,
    });
  });

  test('the problem passes through the gateway as text', () => {
    expect(toReply(problem('bad-gateway'), undefined)).toMatchObject({ statusCode: 502, isBase64Encoded: false });
  });
});

test('one who is not let in is asked for Basic credentials, byte for byte the same each time', () => {
  expect(UNAUTHORIZED).toStrictEqual({
    status: 401,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'WWW-Authenticate': 'Basic realm="webhooks", charset="UTF-8"',
    },
    body: bodies[0]?.[2],
  });
});
