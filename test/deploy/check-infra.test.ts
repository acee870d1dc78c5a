/** `npm run check:infra`: what of it holds without Python and offline, and how suppressions are judged. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { type Finding, judged, type Suppression } from '../../infra/check/infra/finding.ts';
import { STAGES } from '../../infra/check/infra/stages.ts';
import { CFN_LINT, CHECKOV, MOTO } from '../../infra/check/infra/suppressions.ts';

const PROJECT = resolve(import.meta.dirname, '../..');

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

interface Ran {
  readonly code: number;
  readonly lines: readonly string[];
  readonly errors: string;
}

async function checkInfra(...options: string[]): Promise<Ran> {
  const env = { ...process.env, PYTHON: '/nowhere/python3' };
  const args = ['infra/node.cjs', 'infra/check/infra/infra.ts', ...options];
  return new Promise((settle) => {
    execFile(process.execPath, args, { cwd: PROJECT, env }, (error, stdout, stderr) => {
      settle({ code: error === null ? 0 : Number(error.code), lines: stdout.trim().split('\n'), errors: stderr });
    });
  });
}

const resourcesOf = (stage: string): string[] =>
  Object.keys(JSON.parse(readFileSync(resolve(PROJECT, `dist/check/${stage}.json`), 'utf8')).Resources);

describe('npm run check:infra without Python', () => {
  let ran: Ran;
  beforeAll(async () => {
    ran = await checkInfra();
  });

  test('says so in one line, and ends with 3: not everything was checked', () => {
    expect(ran).toMatchObject({ code: 3, errors: '' });
    expect(ran.lines.filter((line) => line.startsWith('·'))).toEqual([
      '· Python    not found, expected 3.11 or newer: left out cfn-lint, checkov, moto',
    ]);
  });

  test('packages both stages all the same, and keeps their templates', () => {
    const counts = STAGES.map(({ name }) => `${name}: ${resourcesOf(name).length} resources`);
    expect(ran.lines[0]).toBe(`√ packaged  ${counts.join(', ')}`);
  });

  test('prints lines of 80 columns at most', () => {
    expect(ran.lines.filter((line) => line.length > 80)).toEqual([]);
  });

  test('has suppressions only for resources that are in the template of their stage, each with a reason', () => {
    for (const { rule, stages = STAGES.map(({ name }) => name), resources, reason } of [
      ...CFN_LINT,
      ...CHECKOV,
      ...MOTO,
    ]) {
      expect(reason.length, rule).toBeGreaterThan(20);
      for (const stage of stages) {
        const findings = resourcesOf(stage).map((resource) => ({ stage, rule, resource, message: '' }));
        expect(judged(findings, [{ rule, stages: [stage], resources, reason }], []).unneeded).toEqual([]);
      }
    }
  });
});

test('an option that npm run check:infra does not know is a mistake in the command', async () => {
  expect(await checkInfra('--stage')).toMatchObject({ code: 2, errors: "check:infra: Unknown option '--stage'\n" });
});

describe('a finding', () => {
  const finding = (stage: string, resource: string, rule = 'W1'): Finding => ({ stage, rule, resource, message: 'so' });
  const suppression = (resources: string[], stages?: string[]): Suppression => ({
    rule: 'W1',
    resources,
    reason: 'not here',
    ...(stages && { stages }),
  });
  const [inPlain, inAll] = [finding('plain', 'QueueOfOrders'), finding('all', 'QueueOfOrders')];

  test.each<[string, Finding[], Suppression[], object]>([
    ['without a suppression is told', [inPlain], [], { found: [inPlain], unneeded: [] }],
    ['of every stage is let pass', [inPlain, inAll], [suppression(['QueueOf*'])], { found: [], unneeded: [] }],
    [
      'of another rule is told',
      [finding('plain', 'QueueOfOrders', 'W2')],
      [suppression(['*'], ['plain'])],
      {
        found: [finding('plain', 'QueueOfOrders', 'W2')],
        unneeded: ['W1 of * in plain'],
      },
    ],
    ['of another stage is told', [inPlain, inAll], [suppression(['*'], ['plain'])], { found: [inAll], unneeded: [] }],
    [
      'of another resource is told',
      [inPlain],
      [suppression(['Queue'], ['plain'])],
      {
        found: [inPlain],
        unneeded: ['W1 of Queue in plain'],
      },
    ],
    [
      'that is gone in one of two stages makes its suppression unneeded there',
      [inPlain],
      [suppression(['QueueOf*'])],
      { found: [], unneeded: ['W1 of QueueOf* in all'] },
    ],
  ])('%s', (_, findings, suppressions, expected) => {
    expect(judged(findings, suppressions, ['plain', 'all'])).toEqual(expected);
  });
});
