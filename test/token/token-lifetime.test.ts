/**
 * How long a token is used: of `exp` and `expires_in` the smaller, never what is unbelievable, on either side's clock.
 */
import { describe, expect, test } from 'vitest';
import { readTokenResponse } from '../../functions/token/token-endpoint.ts';
import { granted } from '../doubles/answer.ts';
import { NOON } from '../doubles/time.ts';
import { jwt } from '../doubles/token.ts';
import { CF_AT, cf, errorOf, jwtWanted } from './clients.ts';

const OPAQUE = '8271a067126f0aa93b46c2fe07c6880';
const HOUR = 3600;
/** SAP advises two hours at most; an unknown lifetime counts as one. */
const CAP = 2 * HOUR;
const UNKNOWN = HOUR;

function read(accessToken: string, fields: object, date?: number, wanted = jwtWanted) {
  const headers = date === undefined ? {} : { date: new Date(date).toUTCString() };
  return readTokenResponse(granted(accessToken, fields, headers), cf, wanted, NOON);
}

function lifetimeSeconds(accessToken: string, fields: object, date?: number): number {
  const { issuedAt, expiresAt } = read(accessToken, fields, date);
  expect(issuedAt).toBe(NOON);
  return (expiresAt - issuedAt) / 1000;
}

/** `exp` after noon in seconds, `expires_in`, how long in seconds the token is used. */
type Row = readonly [exp: unknown, expiresIn: unknown, seconds: number];
const absent = undefined;

const opaque: readonly Row[] = [
  [absent, absent, UNKNOWN],
  [absent, 0, UNKNOWN],
  [absent, '0', UNKNOWN],
  [absent, -1, UNKNOWN],
  [absent, -3600, UNKNOWN],
  [absent, null, UNKNOWN],
  [absent, '', UNKNOWN],
  [absent, 'never', UNKNOWN],
  [absent, {}, UNKNOWN],
  [absent, 1, 1],
  [absent, 300, 300],
  [absent, 3599, 3599],
  [absent, '3599', 3599],
  [absent, 1500.5, 1500.5],
  [absent, CAP - 1, CAP - 1],
  [absent, CAP, CAP],
  [absent, CAP + 1, CAP],
  [absent, 43_199, CAP],
  [absent, '43199', CAP],
  [absent, 15_552_000, CAP],
  [absent, 1e300, CAP],
];

const jwts: readonly Row[] = [
  [HOUR, absent, HOUR],
  [HOUR, 0, HOUR],
  [HOUR, -5, HOUR],
  [HOUR, 'never', HOUR],
  [HOUR, HOUR - 1, HOUR - 1],
  [HOUR, '1800', 1800],
  [600, HOUR, 600],
  [1, 43_199, 1],
  [12 * HOUR, 43_199, CAP],
  [12 * HOUR, 0, CAP],
  [12 * HOUR, 600, 600],
  [absent, 1800, 1800],
  [absent, 0, UNKNOWN],
  ['soon', 1800, 1800],
  ['soon', 0, UNKNOWN],
  [null, absent, UNKNOWN],
];

/** Signed at noon, as it comes. */
const tokenWith = (exp: unknown) =>
  jwt(exp === absent ? {} : { iat: NOON / 1000, exp: typeof exp === 'number' ? NOON / 1000 + exp : exp });

describe('The lifetime', () => {
  test.each(opaque)('the lifetime of an opaque token (exp %j) with expires_in %j is %d s', (_, expiresIn, seconds) => {
    expect(lifetimeSeconds(OPAQUE, { expires_in: expiresIn })).toBe(seconds);
  });

  test.each(jwts)(
    'the lifetime of a JWT that expires after %j s, with expires_in %j, is %d s',
    (exp, expiresIn, seconds) => {
      expect(lifetimeSeconds(tokenWith(exp), { expires_in: expiresIn })).toBe(seconds);
    },
  );

  test.each([
    ['no claims', 'a.b.c'],
    ['claims that are no object', `a.${Buffer.from('[1]').toString('base64url')}.c`],
    ['five parts', 'a.b.c.d.e'],
    ['an exp beyond all numbers', `e30.${Buffer.from('{"exp":1e999}').toString('base64url')}.c`],
  ])('the lifetime of a token with %s is what expires_in tells', (_, accessToken) => {
    expect(lifetimeSeconds(accessToken, { expires_in: 60 })).toBe(60);
    expect(lifetimeSeconds(accessToken, {})).toBe(UNKNOWN);
  });
});

/** `exp` after noon in seconds, `expires_in`. */
const over: readonly (readonly [exp: number, expiresIn: unknown])[] = [
  [0, absent],
  [-1, absent],
  [-HOUR, 0],
];

describe('A token that is over when it comes', () => {
  test.each(over)('a token that is over when it comes is refused: exp after %d s, expires_in %j', (exp, expiresIn) => {
    const error = errorOf(() => read(tokenWith(exp), { expires_in: expiresIn }));
    expect(error).toMatchObject({ code: 'TOKEN_RESPONSE_INVALID', status: 200 });
    expect(error.message).toBe(
      `${CF_AT}: gave a token that has expired already; the operator must check the token URL in the secret`,
    );
  });
});

describe('The longest use of a token, as it is set,', () => {
  const wantedFor = (maxTokenUseSeconds: number) => ({ ...jwtWanted, maxLifetimeMs: maxTokenUseSeconds * 1000 });

  test.each([
    [60, 43_199, 60],
    [600, HOUR, 600],
    [HOUR, HOUR, HOUR],
    [HOUR, HOUR - 1, HOUR - 1],
    [86_400, 43_199, 43_199],
    [86_400, 172_800, 86_400],
    [60, 0, 60],
    [86_400, 0, UNKNOWN],
  ])(
    'the longest use of a token, set to %d s, makes of a lifetime of %d s %d s',
    (maxTokenUseSeconds, expiresIn, seconds) => {
      const { expiresAt } = read(OPAQUE, { expires_in: expiresIn }, undefined, wantedFor(maxTokenUseSeconds));
      expect(expiresAt).toBe(NOON + seconds * 1000);
    },
  );

  /** What the endpoint would not say, too, is no reason to take its 500 for a 401. */
  test.each<[string, unknown, unknown, boolean]>([
    ['told by expires_in', absent, HOUR, true],
    ['told by exp', HOUR, absent, true],
    ['told by both', HOUR, 1800, true],
    ['told to be exactly as long as the longest use', CAP, absent, true],
    ['cut to the longest use', 12 * HOUR, 43_199, false],
    ['told by nobody', absent, absent, false],
    ['told to be 0', absent, 0, false],
  ])(
    'the longest use of a token, and the end of a lifetime that is %s, are known',
    (_, exp, expiresIn, expiryKnown) => {
      expect(read(tokenWith(exp), { expires_in: expiresIn })).toMatchObject({ expiryKnown });
    },
  );
});

describe('A clock that is off changes nothing', () => {
  const skews = [-86_400, -HOUR, -61, 61, HOUR, 86_400].map((seconds) => [seconds] as const);

  test.each(skews)(
    'a clock that is off changes nothing where the authorization server’s is %d s from ours',
    (skewSeconds) => {
      const theirNoon = NOON + skewSeconds * 1000;
      const accessToken = jwt({ exp: theirNoon / 1000 + 1800 });
      expect(lifetimeSeconds(accessToken, { expires_in: 1799 }, theirNoon)).toBe(1799);
      expect(lifetimeSeconds(accessToken, {}, theirNoon)).toBe(1800);
    },
  );

  test.each(skews)('a clock that is %d s off does not make an expired token good', (skewSeconds) => {
    const theirNoon = NOON + skewSeconds * 1000;
    const accessToken = jwt({ exp: theirNoon / 1000 - 1 });
    const error = errorOf(() => read(accessToken, { expires_in: 1800 }, theirNoon));
    expect(error.message).toContain('gave a token that has expired already');
  });
});

/** Keycloak's answers have none. By theirs a token of five minutes is new; ours is so many seconds ahead of it. */
describe('Where the server does not tell its clock', () => {
  const LIFE = 300;
  const aheadSeconds = [-86_400, -HOUR, -61, 0, 61, 290, 600, HOUR, 86_400].map((seconds) => [seconds] as const);
  const claimsOf = (ahead: number) => ({ iat: NOON / 1000 - ahead, exp: NOON / 1000 - ahead + LIFE });
  const secondsOf = (claims: object, fields: object) => lifetimeSeconds(jwt(claims), fields);

  test.each(aheadSeconds)(
    'without the server’s clock, and with ours %d s ahead, expires_in counts from the answer',
    (ahead) => {
      const { iat, exp } = claimsOf(ahead);
      expect(secondsOf({ iat, exp }, { expires_in: LIFE })).toBe(LIFE);
      expect(secondsOf({ exp }, { expires_in: LIFE })).toBe(LIFE);
      // The smaller of the two, as ever.
      expect(secondsOf({ iat, exp }, { expires_in: HOUR })).toBe(LIFE);
      expect(secondsOf({ iat, exp }, { expires_in: 60 })).toBe(60);
    },
  );

  test.each(aheadSeconds)(
    'without the server’s clock, and with ours %d s ahead, a token with its end alone counts as just signed',
    (ahead) => {
      expect(secondsOf(claimsOf(ahead), { expires_in: 0 })).toBe(LIFE);
      expect(secondsOf(claimsOf(ahead), {})).toBe(LIFE);
    },
  );

  test.each<[string, unknown]>([
    ['none', absent],
    ['no number', 'noon'],
    ['its very end', NOON / 1000 + 900],
    ['later than its end', NOON / 1000 + 901],
  ])('without the server’s clock or the time of signing (%s), only our clock counts', (_, iat) => {
    const claims = { exp: NOON / 1000 + 900, ...(iat === absent ? {} : { iat }) };
    expect(secondsOf(claims, {})).toBe(900);
    expect(secondsOf(claims, { expires_in: 1_800 })).toBe(1_800);
    const { expiresAt } = readTokenResponse(granted(jwt(claims), {}, { date: 'some day' }), cf, jwtWanted, NOON);
    expect(expiresAt).toBe(NOON + 900_000);
  });

  test('the server’s clock counts where it is known, whenever the token was signed', () => {
    const claims = { iat: NOON / 1000 - 1_000, exp: NOON / 1000 + 800 };
    expect(lifetimeSeconds(jwt(claims), {}, NOON)).toBe(800);
  });
});
