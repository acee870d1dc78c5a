/** Answers of the token endpoint that bring no token: which code, which words, how long to wait; never a secret. */
import { describe, expect, test } from 'vitest';
import { type Credentials, readCredentials } from '../../functions/token/credentials.ts';
import { readTokenResponse } from '../../functions/token/token-endpoint.ts';
import { answer } from '../doubles/answer.ts';
import { NOON } from '../doubles/time.ts';
import { jwt, MARK } from '../doubles/token.ts';
import { flatKey } from './client-certificate.ts';
import { CF_AT, cf, errorOf, jwtWanted, neo } from './clients.ts';

const CLIENT =
  'the operator must check that the client is registered there and that the secret holds its id and secret';
const REGISTRATION =
  'the operator must check how the client is registered there: it must be allowed the client credentials grant';
const WANTS_OTHERWISE =
  'what the server wants otherwise: the other profile ("environment" in the secret), or DPoP or a signed assertion, which the relay does not send';
const OTHERWISE = `the operator must check ${WANTS_OTHERWISE}`;
const LATER = 'a later try may help';
const WRONG_URL = 'the operator must check the token URL in the secret';
const NGINX =
  '<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body><center><h1>429</h1></center></body></html>';
const XML = `<UnauthorizedUserException><error>unauthorized_user</error><error_description>${MARK}</error_description></UnauthorizedUserException>`;

const refusalOf = (response: Parameters<typeof readTokenResponse>[0], credentials: Credentials = cf) =>
  errorOf(() => readTokenResponse(response, credentials, jwtWanted, NOON));

const answers: readonly (readonly [string, number, string | object, string, string])[] = [
  [
    'wrong secret',
    401,
    { error: 'invalid_client', error_description: `Bad credentials ${MARK}` },
    'TOKEN_REFUSED',
    `401 invalid_client; ${CLIENT}`,
  ],
  [
    'wrong secret, older server',
    401,
    { error: 'unauthorized', error_description: MARK },
    'TOKEN_REFUSED',
    `401 unauthorized; ${CLIENT}`,
  ],
  ['wrong secret, no 401', 400, { error: 'invalid_client' }, 'TOKEN_REFUSED', `400 invalid_client; ${CLIENT}`],
  [
    'Neo: secret in the body',
    401,
    { error: 'unauthorized_client' },
    'TOKEN_REFUSED',
    `401 unauthorized_client; ${REGISTRATION}`,
  ],
  ['wrong secret, in XML', 401, XML, 'TOKEN_REFUSED', `401; ${CLIENT}, or else ${WANTS_OTHERWISE}`],
  ['401 without a body', 401, '', 'TOKEN_REFUSED', `401; ${CLIENT}, or else ${WANTS_OTHERWISE}`],
  ['401 as a page', 401, NGINX, 'TOKEN_REFUSED', `401; ${CLIENT}, or else the token URL in the secret`],
  [
    'no grant type',
    400,
    { error: 'invalid_request', error_description: 'Missing grant type' },
    'TOKEN_REFUSED',
    `400 invalid_request; ${OTHERWISE}`,
  ],
  [
    'a grant that it takes otherwise',
    400,
    { error: 'invalid_grant' },
    'TOKEN_REFUSED',
    `400 invalid_grant; ${OTHERWISE}`,
  ],
  ['DPoP', 400, { error: 'use_dpop_nonce' }, 'TOKEN_REFUSED', `400; ${OTHERWISE}`],
  ['400 without a body', 400, '', 'TOKEN_REFUSED', `400; ${OTHERWISE}`],
  [
    'unknown grant',
    400,
    { error: 'unsupported_grant_type' },
    'TOKEN_REFUSED',
    `400 unsupported_grant_type; ${REGISTRATION}`,
  ],
  [
    'a scope that the client has not',
    400,
    { error: 'invalid_scope', error_description: MARK },
    'TOKEN_REFUSED',
    '400 invalid_scope; the operator must check the setting "scope": the client has no such scope there',
  ],
  ['a page in its place', 400, NGINX, 'TOKEN_REFUSED', `400; ${WRONG_URL}`],
  ['client blocked', 403, { error: 'access_denied' }, 'TOKEN_REFUSED', `403 access_denied; ${REGISTRATION}`],
  [
    'UAA: no such path',
    403,
    { error: `Could not verify the provided CSRF token because no token was found to compare. ${MARK}` },
    'TOKEN_REFUSED',
    `403; ${WRONG_URL}`,
  ],
  ['slow client', 408, '', 'TOKEN_UNAVAILABLE', `408; ${LATER}`],
  ['rate limit, in HTML', 429, NGINX, 'TOKEN_UNAVAILABLE', `429; ${LATER}`],
  ['server error', 500, { error: 'server_error' }, 'TOKEN_UNAVAILABLE', `500 server_error; ${LATER}`],
  ['not implemented', 501, '', 'TOKEN_UNAVAILABLE', `501; ${LATER}`],
  ['bad gateway', 502, '<html>502</html>', 'TOKEN_UNAVAILABLE', `502; ${LATER}`],
  ['maintenance', 503, NGINX, 'TOKEN_UNAVAILABLE', `503; ${LATER}`],
  ['gateway timeout', 504, '', 'TOKEN_UNAVAILABLE', `504; ${LATER}`],
  ['a status beyond the known', 599, '', 'TOKEN_UNAVAILABLE', `599; ${LATER}`],
  ['created', 201, { access_token: jwt(), token_type: 'bearer' }, 'TOKEN_RESPONSE_INVALID', `201; ${WRONG_URL}`],
  ['no content', 204, '', 'TOKEN_RESPONSE_INVALID', `204; ${WRONG_URL}`],
  ['moved', 301, '', 'TOKEN_RESPONSE_INVALID', `301; ${WRONG_URL}`],
  ['a login page', 302, '<html>Log on</html>', 'TOKEN_RESPONSE_INVALID', `302; ${WRONG_URL}`],
  ['no such page', 404, '<html>404</html>', 'TOKEN_RESPONSE_INVALID', `404; ${WRONG_URL}`],
  ['another method', 405, '', 'TOKEN_RESPONSE_INVALID', `405; ${WRONG_URL}`],
  ['another media type', 415, '', 'TOKEN_RESPONSE_INVALID', `415; ${WRONG_URL}`],
];

describe('The token endpoint answers', () => {
  test.each(answers)('an error of the token endpoint says who must act: %s (%i)', (_, status, body, code, words) => {
    const error = refusalOf(answer(status, body));
    expect(error).toMatchObject({ code, status, executed: 'no', message: `${CF_AT}: answered ${words}` });
    expect(error.retryAfterMs).toBeUndefined();
  });

  test.each([
    ['a description in place of a code', { error: `Bad credentials for ${MARK}` }],
    ['a code that nobody knows', { error: `invalid_${MARK}` }],
    ['a known code in capitals', { error: 'INVALID_CLIENT' }],
    ['a known code with a space', { error: 'invalid_client ' }],
    ['a line break', { error: 'invalid_client\nINFO forged' }],
    ['an object as code', { error: { code: MARK } }],
    ['a number', { error: 401 }],
    ['an empty code', { error: '' }],
    ['a list', [{ error: 'invalid_client' }]],
  ])('an answer of the token endpoint with %s is not quoted', (_, body) => {
    const words = `answered 401; ${CLIENT}, or else ${WANTS_OTHERWISE}`;
    expect(refusalOf(answer(401, body)).message).toBe(`${CF_AT}: ${words}`);
  });

  test.each([
    'invalid_request',
    'invalid_client',
    'invalid_grant',
    'unauthorized_client',
    'unsupported_grant_type',
    'invalid_scope',
    'unauthorized',
    'access_denied',
    'server_error',
    'temporarily_unavailable',
  ])('the code %s of the token endpoint is known, and so quoted', (error) => {
    const { message } = refusalOf(answer(401, { error }));
    expect(message.startsWith(`${CF_AT}: answered 401 ${error}; the operator must check `)).toBe(true);
  });

  test.each([
    ['its type says so', { 'content-type': 'text/html;charset=UTF-8' }, 'Log on'],
    ['it says so, in capitals', {}, ' <!DOCTYPE HTML><title>Log on</title>'],
    ['it says so after white space', {}, '\r\n <html lang="en">'],
    ['it says so with white space in it', {}, '<!doctype  html>'],
    ['its type says so in capitals', { 'content-type': 'TEXT/HTML' }, 'Log on'],
  ])('a page for people is recognised as one where %s', (_, headers, body) => {
    expect(refusalOf(answer(400, body, headers)).message).toBe(`${CF_AT}: answered 400; ${WRONG_URL}`);
  });

  test.each(['<html>', 'see <!doctype html>'])(
    'an answer with a code of its own that reads %j is no page for people',
    (error) => {
      const response = answer(400, { error }, { 'content-type': 'application/json' });
      expect(refusalOf(response).message).toBe(`${CF_AT}: answered 400; ${OTHERWISE}`);
    },
  );

  test('a refusal of a client with a certificate makes the error name the certificate', () => {
    const client = readCredentials({ text: JSON.stringify(flatKey), versionId: 'v1' }, 'cpi/orders');
    for (const [status, error] of [
      [401, 'invalid_client'],
      [400, 'invalid_client'],
      [401, ''],
    ] as const) {
      const { message } = refusalOf(answer(status, { error }), client);
      expect(message).toContain('that the client is registered there and that the secret holds its id and certificate');
    }
  });

  test('an error of a token request on Neo does not quote the query', () => {
    const tokenUrl = `${neo.tokenUrl}?key=${MARK}`;
    const { message } = refusalOf(answer(503), { ...neo, tokenUrl });
    expect(message).toBe(`token endpoint ${neo.tokenUrl}: answered 503; ${LATER}`);
  });
});

/** Sat, 01 Jan 2026 12:00:00 is noon. */
const at = (seconds: number) => new Date(NOON + seconds * 1000).toUTCString();

describe('How long to wait', () => {
  test.each<[string, Record<string, string>, number | undefined]>([
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['0 seconds', { 'retry-after': '0' }, 0],
    ['a day', { 'retry-after': '86400' }, 86_400_000],
    ['a date, by our clock', { 'retry-after': at(30) }, 30_000],
    ['a date, by the other side’s clock', { 'retry-after': at(630), date: at(600) }, 30_000],
    ['a date, where the other side’s clock is behind', { 'retry-after': at(-570), date: at(-600) }, 30_000],
    ['a date that is past', { 'retry-after': at(-1) }, 0],
    ['a date beside a Date that is none', { 'retry-after': at(30), date: 'yesterday' }, 30_000],
    ['nothing', {}, undefined],
    ['a word', { 'retry-after': 'soon' }, undefined],
    ['an empty value', { 'retry-after': '' }, undefined],
    ['a fraction, which Date.parse would take for a year', { 'retry-after': '1.5' }, undefined],
    ['a number below 0', { 'retry-after': '-5' }, undefined],
    ['a list of numbers', { 'retry-after': '1, 2' }, undefined],
    ['a date of another form', { 'retry-after': '2026-01-01T12:00:30Z' }, undefined],
    ['more seconds than anyone waits', { 'retry-after': '9999999999' }, undefined],
  ])('the wait before a later try is told by %s', (_, headers, retryAfterMs) => {
    for (const status of [408, 429, 500, 503]) {
      expect(refusalOf(answer(status, '', headers)).retryAfterMs).toBe(retryAfterMs);
    }
  });

  test('the wait before a later try is not told of a refusal, which waiting does not help', () => {
    expect(refusalOf(answer(401, '', { 'retry-after': '7' })).retryAfterMs).toBeUndefined();
  });
});
