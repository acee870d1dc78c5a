import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { FINDINGS, RUNBOOK } from '../../infra/ops/doctor/findings.ts';

const sections = readFileSync(resolve(import.meta.dirname, '../..', RUNBOOK), 'utf8').split(/^(?=## )/m);
/** Those of an alarm or a finding, by their anchor. */
const entries = new Map(
  sections.flatMap((section) => {
    const [, id] = /^## ([a-z\d-]+)\n/.exec(section) ?? [];
    return id === undefined ? [] : [[id, section] as const];
  }),
);
/** They tell of other alarms and of nothing themselves, so the doctor has no such finding. */
const ALARMS_OF_ALARMS = ['needs-a-person', 'only-sap-down'];

test('the runbook has one section for each finding of the doctor and each alarm, and no other', () => {
  expect([...entries.keys()].sort()).toEqual([...Object.keys(FINDINGS), ...ALARMS_OF_ALARMS].sort());
  expect(sections.length - entries.size, 'the introduction, and how to pause').toBe(2);
});

test.each([...entries])('%s: what it means, how to see it, what to do, how one knows that it is over', (_, section) => {
  const labels = [...section.matchAll(/^- \*\*(\w+)\.\*\* \S/gm)].map(([, label]) => label);
  expect(labels).toEqual(['Means', 'See', 'Do', 'Over']);
});
