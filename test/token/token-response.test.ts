/** A token response with 200: what of it is taken, and what is no token response at all; no token in any error. */
import { describe, expect, test } from 'vitest';
import { readTokenResponse } from '../../functions/token/token-endpoint.ts';
import { answer, granted } from '../doubles/answer.ts';
import { NOON } from '../doubles/time.ts';
import { jwt, MARK } from '../doubles/token.ts';
import { CF_AT, cf, errorOf, jwtWanted, neo } from './clients.ts';

const MUST = 'the operator must check the token URL in the secret';
const OPAQUE = '8271a067126f0aa93b46c2fe07c6880';

describe('A token is taken', () => {
  test('a token is accepted from SAP’s sample of Neo', () => {
    const body = `{ "access_token": "${OPAQUE}", "token_type": "Bearer", "expires_in": 0, "scopes": [] }`;
    expect(readTokenResponse(answer(200, body), neo, jwtWanted, NOON)).toStrictEqual({
      accessToken: OPAQUE,
      issuedAt: NOON,
      expiresAt: NOON + 3_600_000,
      expiryKnown: false,
    });
  });

  test('a token is accepted from UAA’s answer', () => {
    const accessToken = jwt({ exp: NOON / 1000 + 3600 });
    const fields = { expires_in: 3599, scope: 'it-rt!b1.ESBMessaging.send', jti: 'be340353ac694b4cb504c6823f938647' };
    const response = granted(accessToken, fields, { 'content-type': 'application/json;charset=UTF-8' });
    expect(readTokenResponse(response, cf, jwtWanted, NOON)).toStrictEqual({
      accessToken,
      issuedAt: NOON,
      expiresAt: NOON + 3_599_000,
      expiryKnown: true,
    });
  });

  test('a token is accepted with the host of the runtime node of its service key', () => {
    const serviceUrl = 'https://acme.it-cpi001-rt.cfapps.eu10.hana.ondemand.com';
    expect(readTokenResponse(granted(OPAQUE), { ...cf, serviceUrl }, jwtWanted, NOON)).toMatchObject({ serviceUrl });
  });

  test.each(['bearer', 'Bearer', 'BEARER'])('a token is accepted of type %s', (token_type) => {
    expect(readTokenResponse(granted(OPAQUE, { token_type }), cf, jwtWanted, NOON).accessToken).toBe(OPAQUE);
  });

  test.each([
    ['of one character', 'x'],
    ['with every character of a Bearer token', 'aZ09-._~+/=='],
    ['that looks like a JWT but is none', 'a.b.c'],
    ['of the longest kind', 'x'.repeat(16_384)],
  ])('a token is accepted %s', (_, accessToken) => {
    expect(readTokenResponse(granted(accessToken), cf, jwtWanted, NOON).accessToken).toBe(accessToken);
  });

  test('a token is accepted whatever the content type says', () => {
    const response = granted(OPAQUE, {}, { 'content-type': 'text/html' });
    expect(readTokenResponse(response, cf, jwtWanted, NOON).accessToken).toBe(OPAQUE);
  });
});

const html = `<!doctype html><title>Log on</title>${MARK}`;
const NO_OBJECT = 'answered 200 with something that is no JSON object';
const NO_TOKEN = 'answered 200 without an access_token';
const UNSENDABLE = 'gave a token that cannot stand in a Bearer header';
const NOT_BEARER = 'gave a token whose token_type is not Bearer';

describe('No token is taken', () => {
  test.each<[string, string | object, string]>([
    ['from a login page', html, NO_OBJECT],
    ['from an empty answer', '', NO_OBJECT],
    ['from JSON cut short', `{"access_token":"${MARK}`, NO_OBJECT],
    ['from a list', [{ access_token: MARK, token_type: 'bearer' }], NO_OBJECT],
    ['from a text', `"${MARK}"`, NO_OBJECT],
    ['from null', 'null', NO_OBJECT],
    ['from an object without one', { token_type: 'bearer', id_token: MARK }, NO_TOKEN],
    ['from an error with 200', { error: 'invalid_client', error_description: MARK }, NO_TOKEN],
    ['that is empty', { access_token: '', token_type: 'bearer' }, NO_TOKEN],
    ['that is a number', { access_token: 4711, token_type: 'bearer' }, NO_TOKEN],
    ['that is an object', { access_token: { value: MARK }, token_type: 'bearer' }, NO_TOKEN],
    ['with a line break', { access_token: `${MARK}\r\nX-Evil: 1`, token_type: 'bearer' }, UNSENDABLE],
    ['with a line break at its end', { access_token: `${MARK}\n`, token_type: 'bearer' }, UNSENDABLE],
    ['with a space', { access_token: `${MARK} b`, token_type: 'bearer' }, UNSENDABLE],
    ['with a quote', { access_token: `"${MARK}"`, token_type: 'bearer' }, UNSENDABLE],
    ['beyond ASCII', { access_token: `${MARK}ä`, token_type: 'bearer' }, UNSENDABLE],
    ['with = in the middle', { access_token: `${MARK}=b`, token_type: 'bearer' }, UNSENDABLE],
    ['that is only =', { access_token: '==', token_type: 'bearer' }, UNSENDABLE],
    ['of no type', { access_token: MARK }, NOT_BEARER],
    ['of type mac', { access_token: MARK, token_type: 'mac' }, NOT_BEARER],
    ['of a type with a space', { access_token: MARK, token_type: 'Bearer ' }, NOT_BEARER],
    ['of a type that is a list', { access_token: MARK, token_type: ['bearer'] }, NOT_BEARER],
  ])('a token is refused %s', (_, body, problem) => {
    const error = errorOf(() => readTokenResponse(answer(200, body), cf, jwtWanted, NOON));
    expect(error).toMatchObject({ code: 'TOKEN_RESPONSE_INVALID', status: 200, executed: 'no' });
    expect(error.message).toBe(`${CF_AT}: ${problem}; ${MUST}`);
    expect(error.message.length).toBeLessThan(300);
  });

  test.each([
    ['longer than SAP’s servers take', 'x'.repeat(16_385), 16_385],
    ['long in bytes alone', 'ä'.repeat(8_193), 16_386],
  ])('a token %s is refused, and the error does not blame the token URL', (_, access_token, bytes) => {
    const body = { access_token, token_type: 'bearer' };
    const error = errorOf(() => readTokenResponse(answer(200, body), cf, jwtWanted, NOON));
    expect(error).toMatchObject({ code: 'TOKEN_RESPONSE_INVALID', status: 200, executed: 'no' });
    expect(error.message).toBe(
      `${CF_AT}: the token of ${bytes} bytes is too large for the endpoint: fewer scopes or role collections; the operator must set "scope", or take from the client what it does not need`,
    );
  });

  test('no token is accepted from an answer too long to be kept, even if what was kept reads well', () => {
    const response = { ...granted(OPAQUE), truncated: true };
    const error = errorOf(() => readTokenResponse(response, cf, jwtWanted, NOON), [OPAQUE]);
    expect(error.code).toBe('TOKEN_RESPONSE_INVALID');
    expect(error.message).toBe(`${CF_AT}: answered 200 with more than ${response.body.byteLength} bytes; ${MUST}`);
  });
});
