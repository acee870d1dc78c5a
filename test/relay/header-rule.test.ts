/** Which headers go along: exact names stay exact, `*` is any rest, and what HTTP or the relay owns never goes. */
import { describe, expect, test } from 'vitest';
import { isOwned, isSendable, isToken, passedOn } from '../../functions/http/headers.ts';

describe('A header', () => {
  test.each([
    'authorization',
    'Cookie',
    'SET-COOKIE',
    'host',
    'content-length',
    'content-type',
    'connection',
    'keep-alive',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'expect',
    'x-csrf-token',
    'Accept-Encoding',
    'proxy-authorization',
    'Proxy-Connection',
  ])('a header %s belongs to HTTP or the relay', (name) => {
    expect(isOwned(name)).toBe(true);
    expect(passedOn({ [name.toLowerCase()]: 'v' }, ['*'])).toEqual({});
  });

  test.each(['', 'x-proxy-id', 'x-authorization', 'traceparent', 'content-encoding', 'csrf-token'])(
    'a header %j can be set',
    (name) => {
      expect(isOwned(name)).toBe(false);
    },
  );

  test.each([
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['abc', 'ab', false],
    ['abc', 'abcd', false],
    ['ab*', 'abc', true],
    ['ab*', 'ab', true],
    ['ab*', 'a', false],
    ['*', 'anything', true],
  ])('a header that is listed as %s lets %s pass: %s', (pattern, name, passes) => {
    expect(passedOn({ [name]: 'v' }, [pattern])).toEqual(passes ? { [name]: 'v' } : {});
  });

  test.each([
    ['x-a', 'ä\t~', true],
    ["!#$%&'*+-.^_`|~09az", '', true],
    ['x-a', 'x\r\ny', false],
    ['x-a', '\u0000', false],
    ['x-a', '\u20ac', false],
    ['x a', 'ok', false],
    ['x:a', 'ok', false],
    ['ä', 'ok', false],
    ['', 'ok', false],
  ])('a header %j: %j can stand in a request: %s', (name, value, can) => {
    expect(isToken(name) && isSendable(value)).toBe(can);
  });
});
