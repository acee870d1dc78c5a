import { expect, test } from 'vitest';
import { createConfidential } from './confidential.ts';
import { setStage } from './stage.ts';

const SECRET = 'c7e0"\\+pass:wörd%/4???~~~=';
const base64 = (text: string) => Buffer.from(text).toString('base64');
const base64url = (text: string) => Buffer.from(text).toString('base64url');

test.each([
  ['raw', SECRET],
  ['escaped', JSON.stringify({ reason: `refused ${SECRET}` })],
  ['URL-encoded', `client_secret=${encodeURIComponent(SECRET)}&grant_type=client_credentials`],
  ['base64', base64(SECRET)],
  ['base64', base64(`a${SECRET}b`)],
  ['base64', base64(`ab${SECRET}cd`)],
  ['base64', base64(`abc${SECRET}efg`)],
  ['base64', `Basic ${base64(`sb-client!b1234:${SECRET}`)}`],
  ['base64url', base64url(`a${SECRET}>?>?`)],
])('a value is found %s in an output: %s', (form, line) => {
  const confidential = createConfidential();
  confidential.register(SECRET);

  const leaks = confidential.leaksIn(['START', `{"message":"x"} ${line}`, 'END']);

  expect(leaks).toContainEqual(expect.stringMatching(new RegExp(`^${form} of a value of ${SECRET.length} characters`)));
});

test('base64 is found whatever stands before and behind, for every length of both', () => {
  const confidential = createConfidential();
  confidential.register('eight+8!');
  for (let before = 0; before < 7; before += 1) {
    for (let behind = 0; behind < 7; behind += 1) {
      const line = base64(`${'x'.repeat(before)}eight+8!${'y'.repeat(behind)}`);
      expect(confidential.leaksIn([line]), `${before} before, ${behind} behind`).toHaveLength(1);
    }
  }
});

test('an output without any of it has no leaks, and what is too short is not looked for', () => {
  const confidential = createConfidential();
  confidential.register(SECRET);
  confidential.register('status');

  expect(confidential.size).toBe(1);
  expect(confidential.leaksIn(['{"status":200}', SECRET.slice(0, -1), base64(SECRET.slice(1))])).toEqual([]);
});

test('the client secret, access token, webhook password and payload of a stage are looked for', async () => {
  const webhook = { username: 'legacy-erp', password: 'another+pass:word' };
  const stage = await setStage({ plans: [{ name: 'orders', webhook }] });
  const { account, runtimeNode, orders } = stage;
  let token = '';
  runtimeNode.server.fail({
    fault: 'hang',
    when: ({ headers }) => {
      token = headers.authorization?.split(' ')[1] ?? '';
      return false;
    },
  });
  stage.send(orders, { body: 'a payload of its own' });
  await stage.poll();
  expect(stage.leaks()).toEqual([]);
  expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);

  for (const value of [
    account.client(orders.clientId)?.clientSecret,
    token,
    webhook.password,
    'a payload of its own',
  ]) {
    stage.output.push(`planted ${value}`);
    expect(stage.leaks(), `of ${value?.length} characters`).toContainEqual(
      expect.stringContaining(`planted ${value}`.slice(0, 200)),
    );
    stage.output.pop();
  }
});
