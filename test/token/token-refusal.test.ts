/** Answers of the token endpoint that bring no token: which code, which words, how long to wait; never a secret. */
import { describe, expect, test } from 'vitest';
import type { Credentials } from '../../functions/token/credentials.ts';
import { readTokenResponse } from '../../functions/token/token-endpoint.ts';
import { answer, CF_AT, cf, errorOf, jwt, jwtWanted, MARK, NOON, neo } from './token-answer.ts';

const REFUSED =
  'the operator must check that the client is registered there and that the secret holds its id and secret';
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
    `401 invalid_client; ${REFUSED}`,
  ],
  [
    'wrong secret, older server',
    401,
    { error: 'unauthorized', error_description: MARK },
    'TOKEN_REFUSED',
    `401 unauthorized; ${REFUSED}`,
  ],
  [
    'Neo: secret in the body',
    401,
    { error: 'unauthorized_client' },
    'TOKEN_REFUSED',
    `401 unauthorized_client; ${REFUSED}`,
  ],
  ['wrong secret, in XML', 401, XML, 'TOKEN_REFUSED', `401; ${REFUSED}`],
  ['401 without a body', 401, '', 'TOKEN_REFUSED', `401; ${REFUSED}`],
  [
    'no grant type',
    400,
    { error: 'invalid_request', error_description: 'Missing grant type' },
    'TOKEN_REFUSED',
    `400 invalid_request; ${REFUSED}`,
  ],
  [
    'unknown grant',
    400,
    { error: 'unsupported_grant_type' },
    'TOKEN_REFUSED',
    `400 unsupported_grant_type; ${REFUSED}`,
  ],
  ['token too large', 400, NGINX, 'TOKEN_REFUSED', `400; ${REFUSED}`],
  ['client blocked', 403, { error: 'access_denied' }, 'TOKEN_REFUSED', `403 access_denied; ${REFUSED}`],
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
  test.each(answers)('%s (%i)', (_, status, body, code, words) => {
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
  ])('with %s, which is not repeated', (_, body) => {
    expect(refusalOf(answer(401, body)).message).toBe(`${CF_AT}: answered 401; ${REFUSED}`);
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
  ])('with the code %s, which is known, and so repeated', (error) => {
    expect(refusalOf(answer(401, { error })).message).toBe(`${CF_AT}: answered 401 ${error}; ${REFUSED}`);
  });

  test('for Neo, and the query is not repeated', () => {
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
  ])('is told by %s', (_, headers, retryAfterMs) => {
    for (const status of [408, 429, 500, 503]) {
      expect(refusalOf(answer(status, '', headers)).retryAfterMs).toBe(retryAfterMs);
    }
  });

  test('is not told of a refusal, which waiting does not heal', () => {
    expect(refusalOf(answer(401, '', { 'retry-after': '7' })).retryAfterMs).toBeUndefined();
  });
});
