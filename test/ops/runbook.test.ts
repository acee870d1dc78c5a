import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { stack } from '../../infra/deploy/stack/stack.ts';
import { FIRST_PORT, portsFrom } from '../../infra/local/command/ports.ts';
import { FINDINGS, RUNBOOK } from '../../infra/ops/doctor/findings.ts';
import { startExamination, TOPIC } from './examination.ts';

const sections = readFileSync(resolve(import.meta.dirname, '../..', RUNBOOK), 'utf8').split(/^(?=## )/m);
/** Those of an alarm or a finding, by their anchor. */
const entries = new Map(
  sections.flatMap((section) => {
    const [, id] = /^## ([a-z\d-]+)\n/.exec(section) ?? [];
    return id === undefined ? [] : [[id, section] as const];
  }),
);
/** They tell of other alarms and of nothing themselves, so the doctor has no such finding. */
const ALARMS_OF_ALARMS = ['needs-a-person', 'only-sap-down', 'sap-down-late'];

const flow = { secret: 'cpi/orders', url: 'https://acme.it-cpi001-rt.cfapps.eu10.hana.ondemand.com/http/orders' };
const webhook = { verify: 'basic', secret: 'webhooks/orders' };
/** Each alarm that a deployment can make: two destinations of one host, one of them with a webhook. */
const alarms = Object.values(
  stack({
    service: 'token-relay',
    stage: 'local',
    region: 'eu-central-1',
    custom: { alarms: { topicArn: TOPIC }, destinations: { orders: { ...flow, webhook }, stock: flow } },
  }).resources.Resources,
).flatMap(({ Properties: { AlarmName, AlarmDescription } }) => {
  if (typeof AlarmName !== 'string') return [];
  return [{ name: AlarmName, anchor: String(AlarmDescription).split(`${RUNBOOK}#`)[1] ?? '' }];
});
const anchors = [...new Set(alarms.map(({ anchor }) => anchor))];

test('the runbook has one section for each finding of the doctor and each alarm, and no other', () => {
  expect([...entries.keys()].sort()).toEqual([...new Set([...Object.keys(FINDINGS), ...anchors])].sort());
  expect(sections.length - entries.size, 'the introduction, and how to pause').toBe(2);
});

test('the commands of aws for the landscape go to where it listens', () => {
  const hosts = sections.flatMap((section) => [...section.matchAll(/--endpoint-url\s+(http:[\w:/.]+)/g)]);
  expect(hosts.map(([, host]) => host)).toEqual([`http://127.0.0.1:${portsFrom(FIRST_PORT).aws}`]);
});

test('what an alarm tells of is a finding of the doctor, and what the doctor leaves to alarms has one', () => {
  const told = anchors.filter((anchor) => !ALARMS_OF_ALARMS.includes(anchor));
  expect(told.filter((anchor) => !Object.hasOwn(FINDINGS, anchor))).toEqual([]);
  const left = Object.entries(FINDINGS).filter(([id, { group }]) => group === 'alarms' && !id.startsWith('alarms-'));
  expect(left.map(([id]) => id).filter((id) => !anchors.includes(id))).toEqual([]);
});

test('the doctor tells each alarm of a deployment that rings by the name of its section', async () => {
  const ringing = alarms.map(({ name }) => ({ name, state: 'ALARM' as const, actions: [TOPIC] }));
  await using examination = await startExamination({ alarms: ringing, also: ['stock'] });
  const { lines } = await examination.lines();
  const told = lines.flatMap(({ group, result, id, destination, reason }) =>
    group === 'alarms' && result !== 'ok' ? [{ id, destination, name: reason.split(' ')[0] }] : [],
  );
  const expected = alarms.filter(({ anchor }) => !ALARMS_OF_ALARMS.includes(anchor));
  expect(told.map(({ name }) => name).sort()).toEqual(expected.map(({ name }) => name).sort());
  for (const { name, anchor } of expected) {
    const [, destination] = /^token-relay-local-(orders|stock)-/.exec(name) ?? [];
    expect(told).toContainEqual({ id: anchor, destination, name });
  }
});

test.each([...entries])('%s: what it means, how to see it, what to do, how one knows that it is over', (_, section) => {
  const labels = [...section.matchAll(/^- \*\*(\w+)\.\*\* \S/gm)].map(([, label]) => label);
  expect(labels).toEqual(['Means', 'See', 'Do', 'Over']);
});
