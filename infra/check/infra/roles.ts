/**
 * Least privilege, evaluated: the roles of a packaged template, by a simulator of IAM that shares nothing with the project.
 * A call that the functions make and the role refuses is a finding, and so is one that it allows and they must not make.
 */
import { readFile } from 'node:fs/promises';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { isRecord } from '../../../functions/untrusted.ts';
import { type Call, calls } from './calls.ts';
import type { Finding, PackagedStage } from './finding.ts';
import { ACCOUNT, REGION } from './stages.ts';

export interface Template {
  readonly Resources: Readonly<Record<string, { readonly Properties?: Readonly<Record<string, unknown>> }>>;
}

/** As IAM gets it. */
export interface Policy {
  readonly Version: string;
  readonly Statement: readonly { readonly Action: readonly string[]; readonly Resource: readonly string[] }[];
}

/** @throws Error if the simulator does not understand a policy or a call */
export async function roles(stages: readonly PackagedStage[]): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    stages.map(async ({ name, path }) => {
      const template = JSON.parse(await readFile(path, 'utf8')) as Template;
      return wrong(calls([name]), (role) => policiesOf(role, template));
    }),
  );
  return findings.flat();
}

/** @returns a finding for each call that is answered otherwise than it says */
export async function wrong(table: readonly Call[], policies: (role: string) => readonly Policy[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const call of table) {
    if ((await isAllowed(call, policies(call.role))) === call.isAllowed) continue;
    const message = `${call.isAllowed ? 'refuses' : 'allows'} ${call.action} on ${call.resource}`;
    findings.push({ stage: call.stage, rule: 'role', resource: call.role, message });
  }
  return findings;
}

/** As KMS makes it with a key: what a role may do with it is for the policies of the role. Without one nobody may. */
const KEY_POLICY = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' }],
};

async function isAllowed({ role, action, resource }: Call, policies: readonly Policy[]): Promise<boolean> {
  const answer = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/${role}`,
        action,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: {},
      },
      identityPolicies: policies.map((policy, index) => ({ name: `${role}${index}`, policy })),
      ...(action.startsWith('kms:') && { resourcePolicy: KEY_POLICY }),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (answer.resultType === 'error') throw new Error(`${action} on ${resource}: ${JSON.stringify(answer.errors)}`);
  return answer.overallResult === 'Allowed';
}

/** The role's own policy and the managed ones that it brings along. */
export function policiesOf(role: string, template: Template): readonly Policy[] {
  const { Policies = [], ManagedPolicyArns = [] } = template.Resources[role]?.Properties ?? {};
  const managed = (ManagedPolicyArns as { readonly Ref: string }[]).map(
    ({ Ref }) => template.Resources[Ref]?.Properties,
  );
  const found = [...(Policies as unknown[]), ...managed].map((policy) => evaluated(policy, template));
  return (found as { readonly PolicyDocument: Policy }[]).map(({ PolicyDocument }) => PolicyDocument);
}

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
};

/** With the values that CloudFormation puts in; a policy of ours refers to nothing but names and log groups. */
function evaluated(value: unknown, template: Template): unknown {
  if (Array.isArray(value)) return value.map((item) => evaluated(item, template));
  if (!isRecord(value)) return value;
  const { Ref: name, 'Fn::Join': joined, 'Fn::GetAtt': attribute } = value;
  if (typeof name === 'string') return known(PSEUDO[name], name);
  if (Array.isArray(joined)) return (evaluated(joined[1], template) as string[]).join(String(joined[0]));
  if (Array.isArray(attribute)) {
    const group = template.Resources[String(attribute[0])]?.Properties?.LogGroupName;
    return `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${known(group, String(attribute[0]))}:*`;
  }
  return Object.fromEntries(Object.entries(value).map(([field, part]) => [field, evaluated(part, template)]));
}

function known(value: unknown, name: string): string {
  if (typeof value !== 'string')
    throw new Error(`a role refers to ${name}, which is no log group and no name of AWS's`);
  return value;
}
