import { expect, test } from 'vitest';
import { setStage } from '../stage.ts';

const FLOW = { csrfProtected: false } as const;

test.each([
  { environment: 'neo', tokenFormat: 'jwt', told: 0 },
  { environment: 'neo', tokenFormat: 'opaque', told: 0 },
  { environment: 'cf', tokenFormat: 'jwt', told: 0 },
  { environment: 'neo', tokenFormat: 'jwt', told: 'absent' },
  { environment: 'neo', tokenFormat: 'opaque', told: 'absent' },
  { environment: 'cf', tokenFormat: 'jwt', told: 'absent' },
] as const)(
  'a token whose expires_in is $told is kept for the next batch ($environment, $tokenFormat)',
  async ({ environment, tokenFormat, told }) => {
    const stage = await setStage({ environment, plans: [{ name: 'orders', flow: FLOW, settings: { tokenFormat } }] });
    stage.authorizationServer.setExpiresIn(told);

    const ids = stage.sendMany(10);
    await stage.poll();
    ids.push(...stage.sendMany(10));
    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids.sort());
    expect(stage.authorizationServer.tokenRequests).toMatchObject([{ status: 200, format: tokenFormat }]);
    expect(stage.tally()).toMatchObject({ secretReads: { 'cpi/orders': 1 }, calls: { 'POST 200': 20 }, left: 0 });
    expect(stage.outcomes('outcome', 'token')).toEqual({ 'delivered new': 10, 'delivered warm': 10 });
  },
);

test.each([
  { environment: 'neo', behindSeconds: 43_220 },
  { environment: 'cf', behindSeconds: 3_620 },
] as const)(
  'a token of an authorization server whose clock is a whole lifetime behind is kept all the same ($environment)',
  async ({ environment, behindSeconds }) => {
    const stage = await setStage({ environment, plans: [{ name: 'orders', flow: FLOW }] });
    // By our clock it is expired, by the runtime node's leeway of a minute it is good.
    stage.authorizationServer.setClockSkew(-behindSeconds * 1000);

    const ids = stage.sendMany(10);
    await stage.poll();
    ids.push(...stage.sendMany(10));
    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids.sort());
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], calls: { 'POST 200': 20 }, left: 0 });
  },
);

test.each([
  { tokenFormat: 'opaque', introspections: 20 },
  { tokenFormat: 'jwt', introspections: 0 },
] as const)(
  'the runtime node asks the authorization server $introspections times for 20 messages with one $tokenFormat token',
  async ({ tokenFormat, introspections }) => {
    const stage = await setStage({
      environment: 'neo',
      plans: [{ name: 'orders', flow: FLOW, settings: { tokenFormat } }],
    });
    const ids = stage.sendMany(10);
    await stage.poll();
    ids.push(...stage.sendMany(10));
    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids.sort());
    expect(stage.authorizationServer.introspections).toBe(introspections);
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], calls: { 'POST 200': 20 } });
  },
);
