/** Least privilege, evaluated by a simulator of IAM over both packaged stages; and that the table notices a wider role. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  ACTIONS_OF_COMMANDS,
  ACTIONS_OF_KEYS,
  ACTIONS_OF_LAMBDA,
  type Call,
  calls,
  type RoleId,
} from '../../infra/check/infra/calls.ts';
import { type Policy, policiesOf, type Template, wrong } from '../../infra/check/infra/roles.ts';
import { packagedStages, type StageTemplates } from './packaging/stages.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

const AWS = resolve(import.meta.dirname, '../../functions/aws');
const STAGES = ['plain', 'everything'] as const;
const ROLES: readonly RoleId[] = ['QueueRole', 'WebhookRole'];
const TABLE = calls(STAGES);
const of = (stage: string, role: string) => TABLE.filter((call) => call.stage === stage && call.role === role);

let stages: StageTemplates;
beforeAll(async () => {
  stages = await packagedStages();
});

describe('the table of calls', () => {
  test('has what each command of the SDK needs that the functions send, and no other command', () => {
    const source = readdirSync(AWS)
      .map((name) => readFileSync(resolve(AWS, name), 'utf8'))
      .join('\n');
    const sent = [...source.matchAll(/new (?:sdk\.)?(\w+Command)\(/g)].map(([, name]) => name ?? '');
    expect([...new Set(sent)].sort()).toEqual(Object.keys(ACTIONS_OF_COMMANDS).sort());
  });

  test('allows each action of these, of Lambda and of keys somewhere, and no other action anywhere', () => {
    const known = [...Object.values(ACTIONS_OF_COMMANDS).flat(), ...ACTIONS_OF_LAMBDA, ...ACTIONS_OF_KEYS];
    const allowed = TABLE.filter(({ isAllowed }) => isAllowed).map(({ action }) => action);
    expect([...new Set(allowed)].sort()).toEqual([...new Set(known)].sort());
  });

  test.each(STAGES.flatMap((stage) => ROLES.map((role) => [stage, role] as const)))(
    'denies at least 40 calls to the role of %s, %s',
    (stage, role) => {
      const denied = new Set(
        of(stage, role).flatMap(({ action, resource, isAllowed }) => (isAllowed ? [] : [`${action} ${resource}`])),
      );
      expect(denied.size).toBeGreaterThanOrEqual(40);
    },
  );
});

describe.each(STAGES)('in the stage %s', (stage) => {
  test.each(ROLES)('%s allows every call that its function makes, and none that it must not make', async (role) => {
    const table = of(stage, role);
    expect(await wrong(table, (id) => policiesOf(id, stages[stage] as Template))).toEqual([]);
    expect(table.filter(({ isAllowed }) => isAllowed).length).toBeGreaterThanOrEqual(4);
  });

  test.each(ROLES)('%s without one of its statements is noticed', async (role) => {
    const unnoticed = await variants(role, stage, (policy, index) => ({
      ...policy,
      Statement: policy.Statement.filter((_, other) => other !== index),
    }));
    // The Deny of a VPC is for calls that have the function's ARN, which none of the table's has.
    expect(unnoticed.filter((statement) => !statement.includes('"Deny"'))).toEqual([]);
  });

  test.each(ROLES)('%s with a * in the place of any one resource is noticed', async (role) => {
    const unnoticed = await variants(role, stage, (policy, index) => changed(policy, index, { Resource: ['*'] }));
    expect(unnoticed.filter((statement) => !statement.includes('"Resource":["*"]'))).toEqual([]);
  });

  test.each(ROLES)('%s with a * in the place of the actions of any one service is noticed', async (role) => {
    const unnoticed = await variants(role, stage, (policy, index) => {
      const [service = ''] = policy.Statement[index]?.Action[0]?.split(':') ?? [];
      return changed(policy, index, { Action: [`${service}:*`] });
    });
    expect(unnoticed.filter((statement) => !statement.includes('"Deny"'))).toEqual([]);
  });

  test.each(ROLES)('%s with a * behind each of its ARNs, one at a time, is noticed', async (role) => {
    const policies = policiesOf(role, stages[stage] as Template);
    const unnoticed: string[] = [];
    for (const [at, policy] of policies.entries())
      for (const [index, { Resource }] of policy.Statement.entries())
        for (const [place, arn] of Resource.entries()) {
          // Of a log group all streams are meant, of a bucket all objects, of a prefix all names.
          if (arn.endsWith('*')) continue;
          const wider = Resource.with(place, `${arn.split(':').slice(0, 5).join(':')}:*`);
          const widened = policies.with(at, changed(policy, index, { Resource: wider }));
          if ((await wrong(denied(stage, role), () => widened)).length === 0) unnoticed.push(arn);
        }
    expect(unnoticed).toEqual([]);
  });
});

const denied = (stage: string, role: string): Call[] => of(stage, role).filter(({ isAllowed }) => !isAllowed);

function changed(policy: Policy, index: number, change: Partial<Policy['Statement'][number]>): Policy {
  const statement = policy.Statement[index];
  if (statement === undefined) throw new Error(`no statement ${index}`);
  return { ...policy, Statement: policy.Statement.with(index, { ...statement, ...change }) };
}

/** @returns the statements for which the table finds nothing wrong with the role so varied, as JSON */
async function variants(role: RoleId, stage: (typeof STAGES)[number], vary: (policy: Policy, index: number) => Policy) {
  const policies = policiesOf(role, stages[stage] as Template);
  const unnoticed: string[] = [];
  for (const [at, policy] of policies.entries())
    for (const [index, statement] of policy.Statement.entries()) {
      const varied = policies.with(at, vary(policy, index));
      if ((await wrong(of(stage, role), () => varied)).length === 0) unnoticed.push(JSON.stringify(statement));
    }
  return unnoticed;
}
